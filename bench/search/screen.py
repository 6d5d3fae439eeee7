"""What a person sees of ``bench search``."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import screen
from bench.figures import Target

STATES = {
    "search": "with the search",
    "nothing": "without any",
    "icontains_index": "with the index for icontains",
}


def print_report(report: Mapping[str, Any], targets: Sequence[Target]) -> None:
    """Tables of the figures, and what became of the targets."""
    console = screen.console()
    search = report["search"]
    console.print(_latencies(search))
    console.print(_writes(search["writes"]))
    console.print(
        f"{search['products']:,} products, {search['real_products']:,} of them real;"
        f" recall of ten: {search['database']['recall_at_10']:.3f},"
        f" among the real ones {search['real']['recall_at_10']:.3f},"
        f" by icontains {search['icontains']['recall_at_10']:.3f}; MB: {search['sizes_mb']}",
        highlight=False,
    )
    screen.print_targets(console, targets)


def _latencies(search: Mapping[str, Any]) -> Any:
    from rich.table import Table

    table = Table("two words", title="Search")
    for heading in ("questions", "p50 ms", "p99 ms"):
        table.add_column(heading, justify="right")
    database, http = search["database"], search["http"]
    for words, facts in (
        ("database, with facets", database["with_facets"]),
        ("database, with facets, misspelt", database["misspelt_with_facets"]),
        ("database, without facets", database["without"]),
        ("database, icontains", search["icontains"]),
        ("HTTP, with facets", http["with_facets"]),
        ("HTTP, without facets", http["without"]),
    ):
        table.add_row(words, f"{facts['count']:,}", f"{facts['p50_ms']}", f"{facts['p99_ms']}")
    return table


def _writes(writes: Mapping[str, Any]) -> Any:
    from rich.table import Table

    table = Table("products written in sets", title="What it costs")
    for heading in ("added/s", "priced/s"):
        table.add_column(heading, justify="right")
    for state, words in STATES.items():
        rates = writes[state]
        table.add_row(words, f"{rates['added_per_second']:,}", f"{rates['priced_per_second']:,}")
    return table
