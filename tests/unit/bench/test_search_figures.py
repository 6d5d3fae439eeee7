"""What `bench search` makes of its measurements."""

import io

from rich.console import Console

from bench import screen as shared
from bench.search import figures, screen


def timed(p50: float, p99: float) -> dict:
    return {"count": 1_000, "p50_ms": p50, "p99_ms": p99}


SEARCH = {
    "products": 100_000,
    "real_products": 3_659,
    "sizes_mb": {"catalog_searchentry": 20.0},
    "real": {"recall_at_10": 0.98, "misspelt": 1_000},
    "database": {
        "with_facets": timed(3.0, 49.9),
        "without": timed(2.0, 10.0),
        "misspelt_with_facets": timed(4.0, 20.0),
        "recall_at_10": 0.94,
        "misspelt": 200,
    },
    "http": {"with_facets": timed(9.0, 60.0), "without": timed(8.0, 20.0)},
    "icontains": timed(8.0, 90.0) | {"recall_at_10": 0.02},
    "writes": {
        "search": {"added_per_second": 15_000, "priced_per_second": 30_000},
        "nothing": {"added_per_second": 30_000, "priced_per_second": 30_000},
        "icontains_index": {"added_per_second": 20_000, "priced_per_second": 15_000},
    },
}


def test_the_search_is_compared_with_icontains_and_with_no_search():
    assert figures.ratios(SEARCH) == {
        "icontains_p50": 4.0,
        "icontains_p99": 9.0,
        "added_per_second_of_none": 0.5,
        "priced_per_second_of_none": 1.0,
    }


def test_slow_or_blind_searches_miss_their_targets():
    assert [one.passed for one in figures.targets(SEARCH)] == [True, True, False, True]
    slow = SEARCH | {"database": SEARCH["database"] | {"without": timed(2.0, 50.1)}}
    assert [one.passed for one in figures.targets(slow)] == [True, False, False, True]


def test_the_report_is_shown(monkeypatch):
    shown = Console(file=io.StringIO(), width=120)
    monkeypatch.setattr(shared, "console", lambda: shown)
    screen.print_report({"search": SEARCH}, figures.targets(SEARCH))
    text = shown.file.getvalue()
    assert "database, icontains" in text
    assert "recall of misspelt words, many products: 0.94 (at least 0.95): MISSED" in text
    assert "with the index for icontains" in text
