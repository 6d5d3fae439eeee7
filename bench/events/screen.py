"""What a person sees of ``bench events``."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench import screen
from bench.figures import Target

NAMES = {
    "redis_1": "Redis Streams, 1 consumer",
    "redis_2": "Redis Streams, 2 consumers",
    "rabbitmq_1": "RabbitMQ, 1 consumer",
    "rabbitmq_2": "RabbitMQ, 2 consumers",
    "celery_task": "Celery task per event, 2 children",
}


def print_report(report: Mapping[str, Any], targets: Sequence[Target]) -> None:
    """Tables of the figures, and what became of the targets."""
    console = screen.console()
    events = report["events"]
    if "flow" in events:
        console.print(_flows(events["flow"], report["ratio"].get("celery_task")))
    console.print(_others(events))
    screen.print_targets(console, targets)


def _flows(flows: Mapping[str, Any], ratio: float | None) -> Any:
    from rich.table import Table

    table = Table("from outbox to inbox", title="Events, medians")
    for heading in ("events/s", "CPU µs each", "delay p50 ms", "p99 ms"):
        table.add_column(heading, justify="right")
    for name, facts in flows.items():
        delay = facts.get("delay") or {}
        table.add_row(
            NAMES[name] + (f" (Holdfast: {ratio:.1f} ×)" if name == "celery_task" else ""),
            f"{facts['events_per_second']:,}",
            f"{sum(facts['cpu_us_per_event'].values()):,.0f}",
            *(f"{delay[key]:.0f}" if delay else "" for key in ("p50_ms", "p99_ms")),
        )
    return table


def _others(events: Mapping[str, Any]) -> Any:
    from rich.table import Table

    table = Table("measured beside", "", title="What events cost")
    for name in ("append", "relay", "projection", "growth"):
        for words, value in _flat(name, events.get(name, {})):
            table.add_row(words, f"{value:,}" if isinstance(value, int) else f"{value}")
    return table


def _flat(name: str, facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The figures in ``facts``, each with the words that lead to it."""
    for key, value in facts.items():
        words = f"{name}: {key.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _flat(words, value)
        else:
            yield words, value
