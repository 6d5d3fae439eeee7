"""What `bench reads` sends, and what it makes of its measurements."""

import io
import json
from collections import Counter

import pytest
from rich.console import Console

from bench import screen as shared
from bench.reads import catalogue, compare, figures, load, screen

SOLD = {"a": 70, "b": 20, "c": 9, "d": 1}


def a_run(per_second: float, p99: float = 2.0) -> dict:
    return {"per_second": per_second, "p50_ms": 1.0, "p99_ms": p99, "cpu_us": 50.0}


def test_products_are_asked_for_as_often_as_they_were_sold():
    lines = catalogue.requests(SOLD, count=10_000)
    assert lines == catalogue.requests(SOLD, count=10_000)  # the same for everybody
    asked = Counter(line.split("\t")[1].rpartition("/")[2] for line in lines)
    assert {one: round(number / 1_000) for one, number in asked.items()} == {
        "a": 7, "b": 2, "c": 1, "d": 0,
    }  # fmt: skip
    assert {line.split("\t")[0] for line in lines} == {"GET"}
    assert catalogue.share_of_the_top(SOLD, 0.25) == 0.7


def test_one_in_a_hundred_changes_a_price_and_the_others_are_the_same():
    reads = catalogue.requests(SOLD, count=1_000)
    mixed = catalogue.requests(SOLD, change=0.01, mode="?mode=write-behind", count=1_000)
    changed = [number for number, line in enumerate(mixed) if line.startswith("PATCH")]
    assert changed == list(range(99, 1_000, 100))
    assert all(mixed[n] == reads[n] for n in range(1_000) if n not in changed)
    _, path, body = mixed[99].split("\t")
    assert path == reads[99].split("\t")[1] + "?mode=write-behind"
    assert json.loads(body)["price"]["currency"] == "GBP"


def test_wrks_figures_are_read():
    said = 'Running 1s test\nJSON {"requests": 10, "seconds": 0.5, "failed": 0}\n'
    assert load.parsed(said) == {"requests": 10, "seconds": 0.5, "failed": 0, "per_second": 20}
    assert load.parsed("unable to connect\n") is None


def test_without_wrk_it_says_where_it_comes_from(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match="apt-get install wrk"):
        load.wrk()


def test_a_server_is_shown_by_its_middle_round():
    facts = compare.summary([a_run(900, 3.0), a_run(1_500, 9.0), a_run(1_000, 1.0)])
    assert facts == {
        "per_second": 1_000, "p50_ms": 1.0, "p99_ms": 3.0, "cpu_us": 50,
        "rounds": [900, 1_500, 1_000],
    }  # fmt: skip


def everything() -> dict:
    reads = {"holdfast": 24_000, "drf_redis": 2_000, "cacheops": 1_200}
    changes = {"holdfast": 14_000, "drf_redis": 2_000, "cacheops": 1_000}
    found = {
        "reads": {name: compare.summary([a_run(rate)]) for name, rate in reads.items()},
        "changes": {name: compare.summary([a_run(rate)]) for name, rate in changes.items()},
        "half_load": compare.summary([a_run(12_000, 11.0)]) | {"of": 0.5},
        "without_l1": compare.summary([a_run(5_000)]),
        "list": compare.summary([a_run(2_000)]) | {"queries_cold": 3, "queries_warm": 0},
    }
    shop = {"file": "sales.csv", "products": 4, "top_tenth": 0.7}
    return {"reads": found, "ratio": figures.ratios(found), "shop": shop}


def test_ratios_and_targets():
    report = everything()
    assert report["ratio"] == {
        "drf_redis": 12.0,
        "cacheops": 20.0,
        "drf_redis_changes": 7.0,
        "cacheops_changes": 14.0,
    }
    judged = {one.name: one.passed for one in figures.targets(report)}
    assert list(judged.values()) == [True, True, False, False, True]
    assert figures.targets({"reads": {}, "ratio": {}}) == []


def test_the_report_is_printed(monkeypatch):
    output = io.StringIO()
    monkeypatch.setattr(shared, "console", lambda: Console(file=output, width=120))
    report = everything()
    screen.print_report(report, figures.targets(report))
    said = output.getvalue()
    for words in ("12.0 ×", "DRF view through django-cacheops", "3 queries, 0 when kept", "MISSED"):
        assert words in said
