"""Edits into the database: a batch is one transaction and, in it, one statement."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from apps.caching.write_behind import Pending, Rejected
from apps.catalog.caching.writing import writing
from apps.catalog.enums import DATABASE
from apps.catalog.feed import edits, sql
from apps.catalog.feed.sql import Outcome
from apps.common.failpoints import failpoint

REASONS = {
    Outcome.TOO_LONG: f"Its attributes would have more than {sql.MAX_ATTRIBUTES:,} characters.",
    Outcome.OUTDATED: "A direct change is newer; it was made while Redis was away.",
}
Row = tuple[str, int | None, int | None, edits.ProductEdit]


def apply(batch: Sequence[Pending]) -> list[Rejected]:
    """Writes the edits, each unless its product is deleted or has had it; tells of the products
    that changed and keeps their old prices. Returns those that no product will ever take."""
    found, refused = [], []
    for one in batch:
        try:
            found.append((one.key, *one.version, edits.from_fields(one.fields)))
        except ValueError as error:
            refused.append(Rejected(one.key, str(error)))
    done = write(found, {one.key: one for one in batch if one.older})
    return refused + [
        Rejected(str(key), REASONS[why]) for key, why in done.items() if why in REASONS
    ]


def write(rows: Sequence[Row], mixed: Mapping[str, Pending] | None = None) -> dict[UUID, Outcome]:
    """As ``sql.write_edits``, in a transaction of its own; of ``mixed`` edits, whose fields came at
    different times, what the rows do not have yet."""
    if not rows:
        return {}
    with writing() as cached, transaction.atomic(using=DATABASE):
        done = sql.write_edits(_news(rows, mixed) if mixed else rows)
        changed = [one for one, outcome in done.items() if outcome not in REASONS]
        cached.products(changed, prices=Outcome.PRICED in done.values(), through=True)
        failpoint("feed.flush.before_commit")
    failpoint("feed.flush.after_commit")
    return done


def _news(rows: Sequence[Row], mixed: Mapping[str, Pending]) -> Sequence[Row]:
    """``rows`` without what was drained before, over which somebody may have written directly."""
    have = sql.lock_versions([key for key, *_ in rows])
    return [
        (key, *version, edits.from_fields(mixed[key].beyond(have[key])))
        if key in mixed and key in have
        else (key, *version, edit)
        for key, *version, edit in rows
    ]
