"""The plan of a chaos run: the same for a seed, enough of each kind, room where one is alone."""

from collections import Counter

import pytest

from chaos import schedule
from chaos.schedule import ALONE, COUNTS, least, plan


def test_a_seed_is_a_plan():
    assert plan(7, 5) == plan(7, 5)
    assert plan(7, 5) != plan(8, 5)


@pytest.mark.parametrize("minutes", [1, 5, 20])
@pytest.mark.parametrize("seed", range(5))
def test_there_are_enough_of_each_kind_in_their_order(seed, minutes):
    faults = plan(seed, minutes)
    counts = Counter(one.kind for one in faults)
    _, all_together, of_a_kind = least(minutes)
    assert set(counts) == set(COUNTS)
    assert min(counts.values()) >= of_a_kind
    assert sum(counts.values()) >= all_together
    times = [one.at for one in faults]
    assert times == sorted(times)
    assert times[0] >= schedule.FIRST
    assert times[-1] <= minutes * 60 - schedule.LAST


@pytest.mark.parametrize("seed", range(5))
def test_nothing_begins_around_the_one_that_is_alone(seed):
    faults = plan(seed, 5)
    for alone in [one.at for one in faults if one.kind == ALONE]:
        near = [
            one.kind
            for one in faults
            if alone - schedule.BEFORE_ALONE < one.at < alone + schedule.AFTER_ALONE
        ]
        assert near == [ALONE]


def test_what_a_run_has_to_reach_grows_with_its_length():
    assert least(5) == (2_500, 150, 3)
    assert least(20) == (10_000, 600, 3)
    assert least(1) == (500, 30, 1)


def test_some_kinds_only():
    assert {one.kind for one in plan(1, 5, ["redis", "gateway"])} == {"redis", "gateway"}
