"""Many products at once: those there are get new values, the others are made.

``deciding`` says what becomes of each item, ``sql`` writes all of them in a few statements.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.catalog import events, locks, notes, prices, stock
from apps.catalog.bulk import sql
from apps.catalog.bulk.deciding import Decision, Shop, decide, wanted_slugs
from apps.catalog.caching.writing import CatalogChanges, writing
from apps.catalog.contracts import BulkOutcome, BulkReport, BulkResult, UpsertProducts
from apps.catalog.enums import DATABASE
from apps.catalog.feed import draining
from apps.common.errors import Conflict
from apps.messaging import idempotency
from apps.messaging.staff_log import staff_changes

MAX_ITEMS = 1_000
ATTEMPTS = 3

__all__ = ["MAX_ITEMS", "products_upsert"]


class Overtaken(Exception):
    """Somebody else took a name between our look at it and our writing it."""


def products_upsert(command: UpsertProducts) -> BulkReport:
    """Makes or changes each product, once per (principal, key); a bad item hurts no other.

    Raises ``ValueError`` for more than ``MAX_ITEMS``, ``KeyReused``, ``StillRunning``, and
    ``Conflict`` (``changed_meanwhile``) where others kept taking the names that were wanted.
    """
    if len(command.items) > MAX_ITEMS:
        raise ValueError(f"at most {MAX_ITEMS} items")
    drained = draining.drain_rows(skus={one.sku for one in command.items})
    with transaction.atomic(using=DATABASE):
        return idempotency.once(
            DATABASE,
            command.principal,
            command.key,
            command,
            BulkReport,
            lambda: _upsert(command, drained),
        )


def _upsert(command: UpsertProducts, drained: bool) -> BulkReport:
    for _ in range(ATTEMPTS):
        try:
            with writing() as cached, transaction.atomic(using=DATABASE):
                report = _try(command, drained)
                _tell_caches(cached, report)
                return report
        except (IntegrityError, Overtaken):
            continue  # now the other one's names are there to be seen
    raise Conflict("Others were faster; send it again.", code="changed_meanwhile")


def _try(command: UpsertProducts, drained: bool) -> BulkReport:
    items = command.items
    shelves = {one.values["category"] for one in items if one.values.get("category")}
    categories = sql.lock_categories(shelves)
    living = locks.lock_products({one.sku for one in items})
    holders = sql.slug_holders(wanted_slugs(items, living))
    decisions = decide(items, Shop(living, categories, holders))
    _make([one for one in decisions if one.outcome == BulkOutcome.CREATED])
    changed = [one for one in decisions if one.outcome == BulkOutcome.UPDATED]
    _change(changed)
    if not drained and changed:
        draining.outdate(
            [one.row.public_id for one in changed if not draining.FED.isdisjoint(one.after)]
        )
    return BulkReport(tuple(_result(one) for one in decisions))


def _tell_caches(cached: CatalogChanges, report: BulkReport) -> None:
    by_outcome: dict[BulkOutcome, list[UUID]] = {one: [] for one in BulkOutcome}
    for one in report.results:
        if one.id is not None:
            by_outcome[one.result].append(one.id)
    cached.made(by_outcome[BulkOutcome.CREATED])
    cached.products(by_outcome[BulkOutcome.UPDATED], names=True, prices=True)


def _make(decisions: Sequence[Decision]) -> None:
    if not decisions:
        return
    pks = sql.insert_products([one.row for one in decisions])
    if len(pks) != len(decisions):
        raise Overtaken
    stock.open_items(list(pks.values()))
    prices.record(
        [prices.PriceMove(pks[one.row.public_id], None, one.row.price, 1) for one in decisions]
    )
    events.products_created(list(pks.values()))
    staff_changes(
        DATABASE,
        subject=notes.PRODUCT,
        notes=[("create", one.row.public_id, None, one.after) for one in decisions],
    )


def _change(decisions: Sequence[Decision]) -> None:
    if not decisions:
        return
    if sql.update_products([one.row for one in decisions]) != len(decisions):
        raise Overtaken
    prices.record(
        [
            prices.PriceMove(one.row.pk, one.old_price, one.row.price, one.row.version)
            for one in decisions
            if one.old_price is not None
        ]
    )
    events.products_updated([one.row.pk for one in decisions])
    staff_changes(
        DATABASE,
        subject=notes.PRODUCT,
        notes=[("change", one.row.public_id, one.before, one.after) for one in decisions],
    )


def _result(decision: Decision) -> BulkResult:
    if decision.row is None:
        return BulkResult(
            decision.index, decision.item.sku, BulkOutcome.ERROR, errors=decision.errors
        )
    return BulkResult(
        decision.index,
        decision.item.sku,
        decision.outcome,
        decision.row.public_id,
        decision.row.version,
    )
