"""A small table behind a buffer, as an app would have one."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from apps.caching.write_behind import Buffer, Change, Pending, Rejected
from apps.common.databases import execute, fetch_all

ALIAS = "catalog"
UPSERT = """
INSERT INTO behind_thing AS old (key, a, b, epoch, counter, deleted)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::boolean[])
ORDER BY 1
ON CONFLICT (key) DO UPDATE SET
    a = CASE WHEN excluded.deleted THEN NULL ELSE coalesce(excluded.a, old.a) END,
    b = CASE WHEN excluded.deleted THEN NULL ELSE coalesce(excluded.b, old.b) END,
    epoch = excluded.epoch, counter = excluded.counter, deleted = excluded.deleted
"""
GUARD = "WHERE (old.epoch, old.counter) < (excluded.epoch, excluded.counter)"


@dataclass
class Table:
    """``refused`` values are never taken; ``broken`` ones make the statement fail; ``before`` runs
    inside the transaction, after its writes."""

    name: str
    guard: str = GUARD
    refused: set[str] = field(default_factory=set)
    batches: list[int] = field(default_factory=list)
    before: object = None

    def buffer(self, **options) -> Buffer:
        epochs = itertools.count(1)
        known = {"next_epoch": lambda: next(epochs), "versions": self.versions} | options
        return Buffer(self.name, ALIAS, self.apply, **known)

    def apply(self, batch: Sequence[Pending]) -> Sequence[Rejected]:
        self.batches.append(len(batch))
        good = [one for one in batch if one.key not in self.refused]
        columns = [
            [one.key for one in good],
            *([_text(one, name) for one in good] for name in "ab"),
            [one.version.epoch for one in good],
            [one.version.counter for one in good],
            ["true" if one.deleted else "false" for one in good],
        ]
        with transaction.atomic(using=ALIAS):
            execute(ALIAS, UPSERT + self.guard, columns)
            if self.before is not None:
                self.before()
        return [Rejected(one.key, "refused") for one in batch if one.key in self.refused]

    def rows(self) -> dict[str, tuple[str | None, str | None]]:
        found = fetch_all(ALIAS, "SELECT key, a, b FROM behind_thing WHERE NOT deleted")
        return {key: (a, b) for key, a, b in found}

    def versions(self, keys: Sequence[str] = ()) -> dict[str, tuple[int, int]]:
        """Of ``keys``, or of all."""
        found = fetch_all(ALIAS, "SELECT key, epoch, counter FROM behind_thing")
        return {key: (epoch, counter) for key, epoch, counter in found if not keys or key in keys}


CREATE = """
CREATE TABLE IF NOT EXISTS behind_thing (
    key text PRIMARY KEY, a text CHECK (a <> 'bad'), b text,
    epoch bigint NOT NULL, counter bigint NOT NULL, deleted boolean NOT NULL
)
"""


def change(key: str, deleted: bool = False, **fields: str) -> Change:
    return Change(key, {name: value.encode() for name, value in fields.items()}, deleted)


def _text(one: Pending, name: str) -> str | None:
    value = one.fields.get(name)
    return None if value is None else value.decode()
