"""How a run shows how far it is: bars on a terminal, lines elsewhere, nothing beside JSON."""

import sys
import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

SECONDS_BETWEEN_LINES = 5.0


class Progress(Protocol):
    """A run's phases, one after the other; ``total`` is what a phase counts up to."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def begin(self, phase: str, total: int) -> None: ...

    def reach(self, done: int) -> None: ...


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def begin(self, phase: str, total: int) -> None:
        return None

    def reach(self, done: int) -> None:
        return None


class Lines(Silent):
    """A line per phase and one every few seconds, for logs and pipes."""

    def begin(self, phase: str, total: int) -> None:
        self.phase, self.total, self.next_line = phase, total, time.monotonic()
        self.next_line += SECONDS_BETWEEN_LINES
        self._write(f"{phase}: {total:,}")

    def reach(self, done: int) -> None:
        if done < self.total and time.monotonic() >= self.next_line:
            self.next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            self._write(f"{self.phase}: {done:,} of {self.total:,}")

    def _write(self, line: str) -> None:
        sys.stderr.write(line + "\n")
        sys.stderr.flush()


class Bars(Silent):
    """A bar per phase, for people."""

    def __init__(self, console: Console):
        self.bars = RichProgress(
            TextColumn("{task.description:<24}"),
            BarColumn(bar_width=40),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self.task = None

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def begin(self, phase: str, total: int) -> None:
        if self.task is not None:
            self.bars.stop_task(self.task)
        self.task = self.bars.add_task(phase, total=total)

    def reach(self, done: int) -> None:
        self.bars.update(self.task, completed=done)


def fitting(*, json: bool) -> Progress:
    """The form that fits where the command runs; progress goes to standard error."""
    if json:
        return Silent()
    console = Console(stderr=True)
    return Bars(console) if console.is_terminal else Lines()
