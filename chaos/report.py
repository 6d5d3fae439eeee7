"""What a run tells: a line now and then, the history of its faults, and the report at the end."""

import datetime
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chaos import schedule

SHOWN = 20


def too_rare(counts: Mapping[str, int], kinds: Sequence[str], minutes: float) -> list[str]:
    """The kinds that were not injected often enough, each as often as it is missing."""
    _, _, of_a_kind = schedule.least(minutes)
    return [kind for kind in kinds for _ in range(of_a_kind - counts.get(kind, 0))]


class History:
    """The faults that were injected, as lines of JSON."""

    def __init__(self, directory: Path):
        self.counts: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.last = ""
        self.times: list[tuple[str, float]] = []
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._file = (directory / "history.jsonl").open("a")

    def injected(self, kind: str, detail: str, began: float) -> None:
        """``began`` by ``time.monotonic()``."""
        self.counts[kind] += 1
        self.last = kind
        self.times.append((kind, began))
        self.tell(kind, detail, began)

    def tell(self, kind: str, detail: str, began: float | None = None) -> None:
        now = time.monotonic()
        line = {
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            "second": round((began or now) - self._began, 2),
            "lasted": round(now - (began or now), 2),
            "kind": kind,
            "detail": detail,
        }
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


@dataclass
class Report:
    """Everything there is to say at the end; ``violations`` and ``shortfalls`` fail a run."""

    seed: int
    minutes: float
    accepted: int = 0
    runs: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    missed: dict[str, int] = field(default_factory=dict)
    repeats: int = 0
    retried: dict[str, int] = field(default_factory=dict)
    staff: dict[str, int] = field(default_factory=dict)
    quiescence: float | None = None
    events: dict[str, int] = field(default_factory=dict)
    events_at_rest: float | None = None
    prices: dict[str, int] = field(default_factory=dict)
    audited: int = 0
    violations: list[str] = field(default_factory=list)
    shortfalls: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.violations and not self.shortfalls

    def weigh(self, kinds: list[str]) -> None:
        """Notes where the run was too small to prove anything."""
        orders, faults, of_a_kind = schedule.least(self.minutes)
        if self.accepted < orders:
            self.shortfalls.append(f"{self.accepted} orders, at least {orders} are wanted")
        if len(kinds) < len(schedule.COUNTS):
            return  # a run about some kinds only is not held to the number of all
        if sum(self.faults.values()) < faults:
            self.shortfalls.append(f"{sum(self.faults.values())} faults, {faults} are wanted")
        self.shortfalls += [
            f"{kind} was injected {self.faults.get(kind, 0)} times, {of_a_kind} are wanted"
            for kind in sorted(set(too_rare(self.faults, kinds, self.minutes)))
        ]

    def write(self, directory: Path) -> None:
        (directory / "report.json").write_text(json.dumps(asdict(self), indent=1) + "\n")

    def print(self, directory: Path) -> None:
        console = Console(soft_wrap=True, highlight=False)
        table = Table(title=f"Chaos, seed {self.seed}, {self.minutes:g} minutes", show_header=False)
        table.add_row("orders accepted", f"{self.accepted:,}")
        for name, counts in (
            ("orders", self.orders),
            ("saga runs", self.runs),
            ("done by staff and buyers", self.staff),
            ("tried again because of", self.retried),
        ):
            table.add_row(name, _counts(counts))
        table.add_row("answers compared", f"{self.repeats:,}")
        table.add_row("faults", f"{sum(self.faults.values())}: {_counts(self.faults)}")
        if self.missed:
            table.add_row("not to be injected", _counts(self.missed))
        at_rest = "never" if self.quiescence is None else f"after {self.quiescence:.1f} s"
        table.add_row("at rest", at_rest)
        settled = self.events_at_rest
        arrived = "not all" if settled is None else f"all after {settled:.1f} s"
        table.add_row("events", f"{_counts(self.events)}; {arrived}")
        table.add_row("prices", _counts(self.prices))
        table.add_row("looked at by the audit", f"{self.audited:,}")
        table.add_row("violations", f"{len(self.violations)}")
        console.print(table)
        for one in self.violations[:SHOWN]:
            console.print(f"violation: {one}", style="red")
        for one in self.shortfalls:
            console.print(f"too little: {one}", style="yellow")
        console.print(f"{'good' if self.good else 'FAILED'}; more in {directory}")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"
