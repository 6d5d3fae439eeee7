"""Everything that was written about the runs of one course of events, read at one moment."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from apps.common.databases import fetch_all

RUN = (
    "id::text, business_key, kind_version, status, position, step, direction, attempt, claims,"
    " parked_steps, version, error_code, lease_token, lease_until, finished_at, abort_requested"
)
_RUN_FIELDS = [one.strip().split("::")[0] for one in RUN.split(",")]


@dataclass
class Books:
    """One run: its row, its steps and log, and the effects of its participants."""

    row: dict[str, Any]
    steps: dict[tuple[int, str], tuple] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    effects: list[tuple[str, str]] = field(default_factory=list)  # (name, answer), in order
    fenced: set[str] = field(default_factory=set)  # keys that may have no effect any more
    keys: list[tuple[str, str]] = field(default_factory=list)  # (key, answer)
    intents: set[str] = field(default_factory=set)

    def written(self) -> tuple:
        """What only its holder may write."""
        row = {name: one for name, one in self.row.items() if name != "abort_requested"}
        return row, self.steps, self.log

    def done(self, name: str) -> bool:
        return (name, "ok") in self.effects

    @property
    def live(self) -> bool:
        return self.row["status"] in ("pending", "in_progress", "compensating")


def read(prefix: str) -> dict[str, Books]:
    """The books of all runs whose business key begins with ``prefix``, by business key."""
    rows = fetch_all(
        "orders",
        f"SELECT {RUN} FROM sagas_sagarun WHERE business_key LIKE %s ORDER BY id",
        [prefix + "%"],
    )
    books = {}
    for row in rows:
        one = dict(zip(_RUN_FIELDS, row, strict=True))
        books[one["id"]] = Books(one)
    ids = [UUID(one) for one in books]
    for run, *step in fetch_all(
        "orders",
        "SELECT run_id::text, position, direction, name, status, attempts FROM sagas_sagastep"
        " WHERE run_id = ANY(%s)",
        [ids],
    ):
        books[run].steps[step[0], step[1]] = tuple(step[2:])
    for run, *entry in fetch_all(
        "orders",
        "SELECT run_id::text, event, code FROM sagas_sagalogentry WHERE run_id = ANY(%s)"
        " ORDER BY id",
        [ids],
    ):
        books[run].log.append(tuple(entry))
    for run, operation in fetch_all(
        "orders", "SELECT run::text, operation FROM machine_intent WHERE run = ANY(%s)", [ids]
    ):
        books[run].intents.add(operation)
    _read_effects(books, ids)
    return {one.row["business_key"]: one for one in books.values()}


def _read_effects(books: dict[str, Books], ids: list[UUID]) -> None:
    for alias in ("orders", "catalog"):
        for run, name, key, answer in fetch_all(
            alias,
            "SELECT run::text, name, key, answer FROM machine_book WHERE run = ANY(%s)"
            " ORDER BY seq",
            [ids],
        ):
            books[run].effects.append((name, answer))
            books[run].keys.append((key, answer))
    fences: dict[str, set[str]] = defaultdict(set)
    for [key] in fetch_all(
        "catalog",
        "SELECT message_id FROM messaging_inbox WHERE consumer = 'tests.machine'"
        " AND outcome->>'answer' = 'cancelled' AND split_part(message_id, ':', 1) = ANY(%s)",
        [list(books)],
    ):
        fences[key.split(":")[0]].add(key)
    for run, keys in fences.items():
        books[run].fenced = keys
