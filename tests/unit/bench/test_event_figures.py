"""What `bench events` makes of its measurements."""

import io

from rich.console import Console

from bench import screen as shared
from bench.events import figures, flow, growth, screen
from bench.events.flow import Flow


def a_flow(per_second: float) -> Flow:
    return Flow(1_000, 1_000 / per_second, {"python": 0.05, "postgres": 0.02})


def test_a_setting_is_shown_by_its_middle_round():
    facts = flow.facts([a_flow(900), a_flow(1_500), a_flow(1_000)], [5.0, 7.0, 90.0])
    assert facts == {
        "events_per_second": 1_000,
        "rounds": [900, 1_500, 1_000],
        "cpu_us_per_event": {"python": 50.0, "postgres": 20.0},
        "delay": {"count": 3, "p50_ms": 7.0, "p99_ms": 90.0},
    }


def test_the_ratio_is_of_as_many_consumers_as_celery_has_children():
    flows = {
        "redis_1": {"events_per_second": 9_000},
        "redis_2": {"events_per_second": 12_000},
        "celery_task": {"events_per_second": 800},
    }
    assert figures.ratios({"flow": flows}) == {"celery_task": 15.0}
    assert figures.ratios({}) == {}


def test_growth_compares_medians():
    empty, full = [a_flow(1_000)] * 3, [a_flow(500), a_flow(900), a_flow(1_200)]
    assert growth.facts(empty, full, 7) == {
        "published": 7,
        "empty_per_second": 1_000,
        "full_per_second": 900,
        "ratio": 0.9,
    }


def test_targets_are_judged_for_what_was_measured():
    report = {
        "ratio": {"celery_task": 9.9},
        "events": {
            "flow": {"redis_1": {"delay": {"p99_ms": 80.0}}, "celery_task": {"delay": None}},
            "append": {"added": 0.051},
            "relay": {"costs": 0.2},
            "projection": {"redis": {"events_per_second": 5_000}},
            "growth": {"ratio": 0.79},
        },
    }
    assert [(one.name, one.passed) for one in figures.targets(report)] == [
        ("Holdfast / Celery task per event", False),
        ("redis, consumers: 1, p99 of the delay", True),
        ("appending adds to an order", False),
        ("carrying costs of the orders", True),
        ("projection, one consumer", True),
        ("with published events / empty", False),
    ]
    assert figures.targets({"ratio": {}, "events": {}}) == []


def test_a_report_is_shown_whole(monkeypatch):
    paper = io.StringIO()
    monkeypatch.setattr(shared, "console", lambda: Console(file=paper, width=120))
    facts = flow.facts([a_flow(1_000)], [5.0, 7.0, 90.0])
    events = {
        "flow": {"redis_2": facts, "celery_task": flow.facts([a_flow(50)], [])},
        "projection": {"redis": {"events_per_second": 6_000, "cpu_us_per_event": {"redis": 3.0}}},
        "growth": {"ratio": 0.9},
    }
    report = {"events": events, "ratio": figures.ratios(events)}
    screen.print_report(report, figures.targets(report))
    text = paper.getvalue()
    assert "Redis Streams, 2 consumers" in text
    assert "Celery task per event, 2 children (Holdfast: 20.0 ×)" in text
    assert "projection: redis: cpu us per event: redis" in text
    assert "with published events / empty: 0.90 (at least 0.8): passed" in text
