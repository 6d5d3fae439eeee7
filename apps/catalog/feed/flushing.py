"""Edits into the database: a batch is one transaction and, in it, one statement."""

from collections.abc import Sequence
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
    done = write(found)
    return refused + [
        Rejected(str(key), REASONS[why]) for key, why in done.items() if why in REASONS
    ]


def write(rows: Sequence[Row]) -> dict[UUID, Outcome]:
    """As ``sql.write_edits``, in a transaction of its own."""
    if not rows:
        return {}
    with writing() as cached, transaction.atomic(using=DATABASE):
        done = sql.write_edits(rows)
        changed = [one for one, outcome in done.items() if outcome not in REASONS]
        cached.products(changed, prices=Outcome.PRICED in done.values())
        failpoint("feed.flush.before_commit")
    failpoint("feed.flush.after_commit")
    return done
