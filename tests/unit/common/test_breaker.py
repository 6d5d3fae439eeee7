"""The circuit breaker, by a clock that stands still until it is told."""

import threading

import pytest

from apps.common.breaker import Breaker, BreakerOpen


class Lost(Exception):
    pass


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock) -> Breaker:
    return Breaker(failures=3, seconds=5, counted=(Lost,), clock=clock)


def fail(breaker: Breaker, problem: type[Exception] = Lost) -> None:
    with pytest.raises(problem), breaker.call():
        raise problem


def pass_through(breaker: Breaker) -> None:
    with breaker.call():
        pass


def test_it_opens_after_so_many_failures_in_a_row(breaker):
    fail(breaker)
    fail(breaker)
    assert not breaker.is_open
    fail(breaker)
    assert breaker.is_open
    with pytest.raises(BreakerOpen):
        pass_through(breaker)


def test_a_success_in_between_begins_the_count_anew(breaker):
    for _ in range(5):
        fail(breaker)
        fail(breaker)
        pass_through(breaker)
    assert not breaker.is_open


def test_other_exceptions_do_not_count(breaker):
    for _ in range(10):
        fail(breaker, ValueError)
    assert not breaker.is_open


def test_one_probe_passes_when_its_time_has_come_and_closes_it(breaker, clock):
    for _ in range(3):
        fail(breaker)
    clock.now = 4.9
    with pytest.raises(BreakerOpen):
        pass_through(breaker)
    clock.now = 5.0
    with breaker.call(), pytest.raises(BreakerOpen):  # during the probe nobody else passes
        pass_through(breaker)
    assert not breaker.is_open
    pass_through(breaker)


def test_a_failed_probe_opens_it_for_as_long_again(breaker, clock):
    for _ in range(3):
        fail(breaker)
    clock.now = 5.0
    fail(breaker)
    clock.now = 9.9
    with pytest.raises(BreakerOpen):
        pass_through(breaker)
    clock.now = 10.0
    pass_through(breaker)
    assert not breaker.is_open


def test_a_probe_that_ends_otherwise_lets_another_one_try(breaker, clock):
    for _ in range(3):
        fail(breaker)
    clock.now = 5.0
    fail(breaker, ValueError)
    assert breaker.is_open
    pass_through(breaker)
    assert not breaker.is_open


def test_calls_run_side_by_side(breaker):
    both_inside = threading.Barrier(2, timeout=10)

    def call() -> None:
        with breaker.call():
            both_inside.wait()

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert not both_inside.broken
