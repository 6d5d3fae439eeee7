"""What a person sees of ``bench writes``."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import screen
from bench.figures import Target

NAMES = {"write_behind": "write-behind", "database": "to the database"}


def print_report(report: Mapping[str, Any], targets: Sequence[Target]) -> None:
    """A table of the figures, and what became of the targets."""
    from rich.table import Table

    table = Table("one change of a price", title="Changes, medians of the rounds")
    for heading in ("changes/s", "p50 ms", "p99 ms", "ratio"):
        table.add_column(heading, justify="right")
    for place, where in (("facade", "at the facade"), ("http", "PATCH over HTTP")):
        for way, words in NAMES.items():
            facts = report["writes"][place][way]
            ratio = report["ratio"][f"{place}_database"]
            table.add_row(
                f"{where}, {words}",
                f"{facts['changes_per_second']:,.0f}",
                f"{facts['p50_ms']:.2f}",
                f"{facts['p99_ms']:.2f}",
                f"{ratio:.1f} ×" if way == "write_behind" else "",
            )
    console = screen.console()
    console.print(table)
    screen.print_targets(console, targets)
