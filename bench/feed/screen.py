"""What a person sees of ``bench feed``."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import screen
from bench.figures import Target

NAMES = {
    "accepted": "accepted, workers standing still",
    "flushed": "flushed, nothing else going on",
    "together": "accepted and flushed at once",
}


def print_report(report: Mapping[str, Any], targets: Sequence[Target]) -> None:
    """A table of the figures, and what became of the targets."""
    from rich.table import Table

    found = report["feed"]
    table = Table("changes of prices", title=f"Feeds of {found['lines']:,} lines, medians")
    for heading in ("changes/s", "CPU µs each"):
        table.add_column(heading, justify="right")
    for name, words in NAMES.items():
        facts = found[name]
        cpu = sum(facts["cpu_us_each"].values())
        table.add_row(words, f"{facts['per_second']:,}", f"{cpu:,.0f}")
    console = screen.console()
    console.print(table)
    screen.print_targets(console, targets)
