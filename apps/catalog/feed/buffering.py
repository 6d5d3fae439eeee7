"""Edits on their way: into Redis where it takes them, else into the database at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from apps.caching import write_behind
from apps.caching.keys import Key
from apps.caching.write_behind import Change, Refused, Version
from apps.caching.write_behind.connections import AWAY
from apps.caching.writing import writing
from apps.catalog.caching.names import PRODUCT
from apps.catalog.enums import DATABASE
from apps.catalog.feed import edits, flushing, sql
from apps.catalog.feed.buffer import PRODUCTS
from apps.catalog.feed.sql import Outcome

MOST_FIELDS = 1_000  # of one change, since Redis takes them in one call


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of edits by product: those ``waiting`` in Redis with the newest ``version``
    (``epoch.counter``), those written to the database, those that were ``refused`` and why."""

    waiting: frozenset[str]
    version: str | None
    refused: Mapping[str, Outcome]


def keep(wanted: Mapping[str, Mapping[str, bytes]], *, by: str, epoch: int) -> Kept:
    """Keeps edits (public id → fields of ``edits``) so that every reader sees them from now on.

    ``epoch`` is the newest one, read from the database before: edits of an older one would be
    taken for older than rows that were written while Redis was away.
    """
    if not wanted:
        return Kept(frozenset(), None, {})
    changes = [Change(key, part) for key, fields in wanted.items() for part in _parts(fields)]
    with writing(DATABASE, [Key(PRODUCT, key) for key in wanted]):
        taken = write_behind.put(PRODUCTS, changes, by=by)
        versions = [one for one in taken if isinstance(one, Version)]
        if versions and versions[0].epoch < epoch:
            taken = _put_anew(changes, by)
            versions = [one for one in taken if isinstance(one, Version)]
    refusals = {
        change.key: one
        for change, one in zip(changes, taken, strict=True)
        if isinstance(one, Refused)
    }
    refused = _write_through({key: wanted[key] for key in refusals}, refusals)
    waiting = frozenset(wanted.keys() - refusals.keys())
    version = "{}.{}".format(*max(versions)) if versions else None
    return Kept(waiting, version, refused)


def _put_anew(changes: Sequence[Change], by: str) -> Sequence[Version | Refused]:
    """As ``put``, under a new epoch."""
    try:
        write_behind.renew(PRODUCTS)
    except AWAY:
        return [Refused.AWAY] * len(changes)
    return write_behind.put(PRODUCTS, changes, by=by)


def _parts(fields: Mapping[str, bytes]) -> Iterable[Mapping[str, bytes]]:
    if len(fields) <= MOST_FIELDS:
        return (fields,)
    items = list(fields.items())
    return [dict(items[at : at + MOST_FIELDS]) for at in range(0, len(items), MOST_FIELDS)]


def _write_through(
    wanted: Mapping[str, Mapping[str, bytes]], refusals: Mapping[str, Refused]
) -> dict[str, Outcome]:
    """Those that Redis refused, in one transaction; returns what the database refused too.

    Where Redis is away edits may wait that nobody sees: the rows become newer than all of them.
    """
    if not wanted:
        return {}
    away = Refused.AWAY in refusals.values()
    version = (sql.next_epoch(), 0) if away else (None, None)
    rows: Sequence[flushing.Row] = [
        (key, *version, edits.from_fields(fields)) for key, fields in wanted.items()
    ]
    done = flushing.write(rows)
    return {str(key): why for key, why in done.items() if why in flushing.REASONS}
