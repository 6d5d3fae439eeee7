"""What a person sees: a line of progress for each measurement, tables at the end."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench import screen
from bench.figures import Target
from bench.sagas.figures import Drain

NAMES = {
    "holdfast": "Holdfast",
    "dbos_direct": "DBOS, direct",
    "dbos_queued": "DBOS, queued",
    "celery_chain": "Celery chain",
    "dbos_direct_two_processes": "(DBOS in two processes)",
    "celery_chain_acks_early": "(chain that acks early)",
}


class Progress(screen.Progress):
    """Says as well what a draining took."""

    def drained(self, what: str, drain: Drain) -> None:
        cpu = sum(drain.cpu.values()) / drain.runs * 1000
        setting = f" ({drain.setting})" if drain.setting else ""
        self.say(
            f"{what}{setting}: {drain.runs:,} in {drain.seconds:.1f} s ="
            f" {drain.per_second:,.0f}/s, {cpu:.2f} ms of processor each"
        )


def print_report(report: Mapping[str, Any], targets: Sequence[Target]) -> None:
    """The compared figures, the others, and what became of the targets."""
    console = screen.console()
    if "dbos_direct" in report.get("ratio", {}):
        console.print(_compared(report))
    console.print(_others(report))
    screen.print_targets(console, targets)


def _compared(report: Mapping[str, Any]) -> Any:
    from rich.table import Table

    table = Table("five-step checkout", title="Sagas drained, medians")
    for heading in ("sagas/s", "Holdfast is", "commits each", "CPU ms each", "p50 ms", "p99 ms"):
        table.add_column(heading, justify="right")
    table.add_column("setting")
    for name in NAMES:
        if name not in report:
            continue
        facts, latency = report[name], report[name].get("latency", {})
        times = report["ratio"].get(name)
        table.add_row(
            NAMES[name],
            f"{facts['sagas_per_second']:,.0f}",
            f"{times:.1f} ×" if times else "",
            f"{facts['commits_per_saga']:.2f}" if facts["commits_per_saga"] is not None else "",
            f"{sum(facts['cpu_ms_per_saga'].values()):.2f}",
            *(f"{latency[key]:.0f}" if latency else "" for key in ("p50_ms", "p99_ms")),
            facts["setting"],
        )
    return table


def _others(report: Mapping[str, Any]) -> Any:
    from rich.table import Table

    table = Table("measured beside", "", title="Holdfast alone")
    for name in ("http", "hot_product", "workers", "growth", "audit"):
        for key, value in report.get(name, {}).items():
            if isinstance(value, dict):
                value = ", ".join(f"{one.replace('_', ' ')} {two:,}" for one, two in value.items())
            shown = f"{value:,}" if isinstance(value, int) else f"{value}"
            table.add_row(f"{name.replace('_', ' ')}: {key.replace('_', ' ')}", shown)
    return table
