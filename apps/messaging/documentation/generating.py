"""Contracts and groups → Markdown."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from apps.messaging.contracts import EventContract
from apps.messaging.documentation.examples import example
from apps.messaging.documentation.fields import prose_of, rows
from apps.messaging.groups import ConsumerGroup

INTRODUCTION = Path(__file__).with_name("introduction.md")


def document(contracts: Sequence[EventContract], groups: Sequence[ConsumerGroup]) -> str:
    """The whole of ``docs/events.md``."""
    parts = [
        INTRODUCTION.read_text().rstrip("\n"),
        "## All of them",
        _table(("event", "version", "told of", "when"), map(_line, contracts)),
        "## Who reads them",
        _table(("consumer group", "database", "events"), map(_group, groups)),
    ]
    for kind, told in groupby(contracts, key=lambda one: one.topic.partition(".")[0]):
        parts.append(f"## {kind.capitalize()}")
        for contract in told:
            parts += _contract(contract, groups)
    return "\n\n".join(parts) + "\n"


def _line(contract: EventContract) -> tuple[str, ...]:
    anchor = f"#{contract.topic.replace('.', '')}-version-{contract.version}"
    return (
        f"[`{contract.topic}`]({anchor})",
        str(contract.version),
        contract.aggregate_kind,
        contract.summary,
    )


def _group(group: ConsumerGroup) -> tuple[str, ...]:
    return f"`{group.name}`", group.alias, ", ".join(f"`{one}`" for one in group.topics)


def _contract(contract: EventContract, groups: Sequence[ConsumerGroup]) -> Iterator[str]:
    readers = [f"`{one.name}`" for one in groups if one.wants(contract.topic)]
    schema = f"schemas/{contract.topic}.v{contract.version}.json"
    yield f"### {contract.topic}, version {contract.version}"
    yield (
        f"{contract.summary} Aggregate: `{contract.aggregate_kind}:<id>`."
        f" Read by {', '.join(readers) or 'nobody here'}. [Schema]({schema})."
    )
    if prose := prose_of(contract.payload):
        yield prose
    yield _table(
        ("field", "type", "meaning"),
        ((f"`{one.name}`", one.type, one.meaning) for one in rows(contract.payload)),
    )
    payload = json.loads(example(contract))["payload"]
    yield f"```json\n{json.dumps(payload, indent=2, ensure_ascii=False)}\n```"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    shown = [head, ["---"] * len(head), *lines]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in shown)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
