"""What an audit found."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

SHOWN_IDS = 10


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How many things a check looked at, and what is wrong: offending id → why."""

    checked: int
    wrong: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AuditReport:
    """The results of all checks by name."""

    checks: Mapping[str, CheckResult]
    seconds: float

    @property
    def violations(self) -> int:
        return sum(len(result.wrong) for result in self.checks.values())

    def as_json(self, *, most_ids: int | None = None) -> dict[str, Any]:
        """The report in builtins, with at most ``most_ids`` ids of each check."""
        return {
            "violations": self.violations,
            "checks": {
                name: {
                    "checked": result.checked,
                    "violations": len(result.wrong),
                    "ids": sorted(result.wrong)[:most_ids],
                }
                for name, result in self.checks.items()
            },
        }

    def print(self, console: Console) -> None:
        """Prints a row per check, and below it what is wrong."""
        console.print(f"Audit, {self.seconds:.1f} s", style="bold")
        table = Table()
        table.add_column("check")
        table.add_column("checked", justify="right")
        table.add_column("violations", justify="right")
        for name, result in self.checks.items():
            style = "bold red" if result.wrong else ""
            table.add_row(name, f"{result.checked:,}", f"{len(result.wrong):,}", style=style)
        console.print(table)
        for name, result in self.checks.items():
            for subject, why in sorted(result.wrong.items())[:SHOWN_IDS]:
                console.print(f"{name}: {subject}: {why}", style="red", soft_wrap=True)
            if (more := len(result.wrong) - SHOWN_IDS) > 0:
                console.print(f"{name}: … and {more:,} more (see --json)", style="red")
