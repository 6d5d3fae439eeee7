"""One load for many, and never one that began before who gets it came."""

import threading

import pytest

from apps.caching.flights import Turns


class Loads:
    """Loads that end when they are told to; each gives its number."""

    def __init__(self) -> None:
        self.count = 0
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def __call__(self) -> int:
        self.count += 1
        number = self.count
        self.begun.release()
        assert self.may_end.acquire(timeout=5)
        return number


@pytest.fixture
def loads() -> Loads:
    return Loads()


def ask(turns: Turns, loads, got: list) -> threading.Thread:
    thread = threading.Thread(target=lambda: got.append(turns.load("a", loads, 5.0)))
    thread.start()
    return thread


def test_who_comes_while_one_loads_shares_the_next(loads):
    turns, first, others = Turns(), [], []
    threads = [ask(turns, loads, first)]
    assert loads.begun.acquire(timeout=5)
    threads += [ask(turns, loads, others) for _ in range(10)]
    loads.may_end.release(12)  # the first, and however many the others need
    for thread in threads:
        thread.join(5)
    assert first == [1]
    assert len(others) == 10
    assert min(others) == 2  # none got what had begun before it came
    assert not turns._running
    assert not turns._next


def test_a_load_that_fails_fails_nobody_else():
    turns = Turns()

    def failing():
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError):
        turns.load("a", failing, 1.0)
    assert turns.load("a", lambda: 7, 1.0) == 7
    assert not turns._running
    assert not turns._next


def test_different_ids_do_not_wait_for_each_other(loads):
    turns, got = Turns(), []
    thread = ask(turns, loads, got)
    assert loads.begun.acquire(timeout=5)
    assert turns.load("b", lambda: 7, 5.0) == 7
    loads.may_end.release()
    thread.join(5)
    assert got == [1]
