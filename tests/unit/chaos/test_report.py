"""What fails a chaos run besides violations: too little of it."""

from chaos.report import Report
from chaos.schedule import COUNTS

KINDS = list(COUNTS)


def report(**values) -> Report:
    words = {"accepted": 2_500, "faults": dict.fromkeys(KINDS, 5)} | values
    one = Report(seed=1, minutes=5, **words)
    one.weigh(KINDS)
    return one


def test_enough_of_everything_is_good():
    assert report().good


def test_too_few_orders_fail():
    assert report(accepted=2_499).shortfalls == ["2499 orders, at least 2500 are wanted"]


def test_a_kind_that_was_hardly_injected_fails():
    few = dict.fromkeys(KINDS, 6) | {"redis": 2}
    assert report(faults=few).shortfalls == ["redis was injected 2 times, 3 are wanted"]


def test_too_few_faults_fail():
    assert not report(faults=dict.fromkeys(KINDS, 4)).good  # 132 of 150


def test_a_violation_fails():
    assert not report(violations=["money"]).good
