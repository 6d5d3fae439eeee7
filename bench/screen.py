"""What a person sees of any benchmark: lines of progress, and verdicts at the end."""

import sys
import time
from collections.abc import Sequence
from typing import Any

from bench.figures import Target


class Progress:
    """Writes to stderr, so that ``--json`` leaves standard output alone."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def say(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self.began), 60)
        print(f"{minutes:3d}:{seconds:02d}  {text}", file=sys.stderr, flush=True)


def console() -> Any:
    """Where reports are printed: as wide as the terminal, or 120 characters."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120)


def print_targets(console: Any, targets: Sequence[Target]) -> None:
    """A line for each target."""
    for one in targets:
        wanted = f"{'at most' if one.most else 'at least'} {one.wanted:g}{one.unit}"
        verdict = "passed" if one.passed else "MISSED"
        console.print(
            f"{one.name}: {one.measured:,.2f}{one.unit} ({wanted}): {verdict}",
            style="" if one.passed else "bold red",
            highlight=False,
        )
