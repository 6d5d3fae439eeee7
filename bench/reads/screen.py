"""What a person sees of ``bench reads``."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import screen
from bench.figures import Target

SERVERS = {
    "holdfast": "Holdfast",
    "drf_redis": "DRF view through django-redis",
    "cacheops": "DRF view through django-cacheops",
}
ALONE = {
    "half_load": "half load",
    "without_keep_alive": "a connection for each request",
    "without_l1": "L1 off: Redis is asked each time",
    "without_lane": "lane off: Django answers each time",
    "list": "list, a page of 20",
}


def print_report(report: Mapping[str, Any], targets: Sequence[Target]) -> None:
    """Tables of the figures, and what became of the targets."""
    console = screen.console()
    found = report["reads"]
    for part, title, end in (
        ("reads", "Product detail, medians", ""),
        ("changes", "Product detail while 1 % are price changes, medians", "_changes"),
    ):
        if part in found:
            console.print(_compared(title, found[part], report["ratio"], end))
    console.print(_alone(found))
    shop = report["shop"]
    console.print(
        f"{shop['products']:,} products of {shop['file']}; the most popular tenth of them gets"
        f" {100 * shop['top_tenth']:.0f} % of the requests",
        highlight=False,
    )
    screen.print_targets(console, targets)


def _table(title: str, *headings: str) -> Any:
    from rich.table import Table

    table = Table("", title=title)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _figures(facts: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"{facts['per_second']:,.0f}",
        f"{facts['p50_ms']:.2f}",
        f"{facts['p99_ms']:.2f}",
        f"{facts['cpu_us']:,.0f}",
    )


def _compared(title: str, found: Mapping[str, Any], ratio: Mapping[str, float], end: str) -> Any:
    headings = ("requests/s", "p50 ms", "p99 ms", "CPU µs each", "Holdfast is")
    table = _table(title, *headings)
    for name, facts in found.items():
        times = ratio.get(f"{name}{end}")
        table.add_row(SERVERS[name], *_figures(facts), f"{times:.1f} ×" if times else "")
    return table


def _alone(found: Mapping[str, Any]) -> Any:
    table = _table("Holdfast by itself", "requests/s", "p50 ms", "p99 ms", "CPU µs each", "")
    for name, words in ALONE.items():
        if name not in found:
            continue
        facts, more = found[name], ""
        if name == "half_load":
            more = f"{facts['of']:.2f} of the most"
        if name == "list":
            more = f"{facts['queries_cold']} queries, {facts['queries_warm']} when kept"
        table.add_row(words, *_figures(facts), more)
    return table
