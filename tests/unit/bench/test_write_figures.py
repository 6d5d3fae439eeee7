"""What `bench writes` and `bench feed` make of their measurements."""

import io

from rich.console import Console

from bench import screen as shared
from bench.feed import figures as feed_figures
from bench.feed import screen as feed_screen
from bench.writes import figures, screen

FAST = {"changes_per_second": 900.0, "p50_ms": 1.0, "p99_ms": 2.0}
SLOW = {"changes_per_second": 225.0, "p50_ms": 4.0, "p99_ms": 9.0}


def writes(lost: int = 0) -> dict:
    ways = {"write_behind": FAST, "database": SLOW}
    found = {"facade": ways, "http": ways, "left": {"products": 9, "lost": lost}}
    return {"writes": found, "ratio": figures.ratios(found)}


def feed(per_second: int, lost: int = 0) -> dict:
    one = {"per_second": per_second, "rounds": [per_second], "cpu_us_each": {"python": 20.0}}
    return {
        "feed": {"lines": 10_000, "accepted": one, "flushed": one, "together": one, "lost": lost}
    }


def test_a_way_is_shown_by_its_middle_round_and_all_its_changes():
    assert figures.summary([[1.0, 1.0], [4.0, 4.0], [2.0, 2.0]]) == {
        "changes_per_second": 500.0,
        "p50_ms": 2.0,
        "p99_ms": 4.0,
    }


def test_the_facade_is_judged_and_http_is_not():
    assert writes()["ratio"] == {"facade_database": 4.0, "http_database": 4.0}
    assert [one.passed for one in figures.targets(writes())] == [True, True]
    slower = writes() | {"ratio": {"facade_database": 2.9, "http_database": 1.0}}
    assert [one.passed for one in figures.targets(slower)] == [False, True]


def test_a_lost_change_misses_the_target():
    assert [one.passed for one in figures.targets(writes(lost=1))] == [True, False]
    assert [one.passed for one in feed_figures.targets(feed(20_000, lost=1))] == [True, True, False]


def test_feeds_are_shown_by_their_middle_round():
    rounds = [{"seconds": one, "cpu": {"python": one / 2}} for one in (1.0, 4.0, 2.0)]
    assert feed_figures.summary(40_000, rounds) == {
        "per_second": 20_000,
        "rounds": [40_000, 10_000, 20_000],
        "cpu_us_each": {"python": 25.0},
    }
    assert [one.passed for one in feed_figures.targets(feed(19_999))] == [False, False, True]


def test_reports_can_be_read(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(shared, "console", lambda: Console(file=out, width=120))
    screen.print_report(writes(), figures.targets(writes()))
    feed_screen.print_report(feed(30_000), feed_figures.targets(feed(30_000)))
    assert "at the facade, write-behind" in out.getvalue()
    assert "accepted and flushed at once" in out.getvalue()
