"""Ending reservations: released by a compensation, or sold when the goods leave the house."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from apps.catalog.caching.writing import CatalogChanges, writing
from apps.catalog.contracts import DispatchStock, ReleaseStock, StockResult
from apps.catalog.enums import DATABASE, LedgerKind, ReservationStatus
from apps.catalog.stock import events, reserving, sql
from apps.catalog.stock.outcomes import by_key, stored
from apps.common.contracts import from_builtins
from apps.common.failpoints import failpoint
from apps.messaging import inbox

RELEASE, DISPATCH = "catalog.release_stock", "catalog.dispatch_stock"


def release(
    commands: Sequence[ReleaseStock], correlation_ids: Mapping[UUID, str] | None = None
) -> list[StockResult]:
    """Frees what is live of each order; where its reservation never came, fences it off.

    A fenced reservation answers ``cancelled`` when it arrives late, and moves nothing. A
    repeated key gets the first answer again. ``correlation_ids`` are as in ``reserve``.
    """
    batch = by_key(RELEASE, commands)
    with writing() as cached, transaction.atomic(using=DATABASE):
        admission = inbox.admit(DATABASE, RELEASE, batch.hashes)
        new = [one for one in batch.commands if one.key in admission.new]
        # A reservation that is being made right now is waited for here, then found below.
        inbox.fence(DATABASE, reserving.CONSUMER, [one.forward_key for one in new], reserving.FENCE)
        outcomes = _end(new, ReservationStatus.RELEASED, correlation_ids or {}, cached)
        inbox.settle(DATABASE, RELEASE, outcomes)
        failpoint("catalog.release.before_commit")
    failpoint("catalog.release.after_commit")
    return _results(commands, outcomes | admission.outcomes)


def dispatch(commands: Sequence[DispatchStock]) -> list[StockResult]:
    """Turns what is live of each order into sales: the pieces leave on_hand and reserved.

    A repeated key gets the first answer again.
    """
    batch = by_key(DISPATCH, commands)
    with writing() as cached, transaction.atomic(using=DATABASE):
        admission = inbox.admit(DATABASE, DISPATCH, batch.hashes)
        new = [one for one in batch.commands if one.key in admission.new]
        outcomes = _end(new, ReservationStatus.SOLD, {}, cached)
        inbox.settle(DATABASE, DISPATCH, outcomes)
        failpoint("catalog.dispatch.before_commit")
    failpoint("catalog.dispatch.after_commit")
    return _results(commands, outcomes | admission.outcomes)


def _end(
    commands: Sequence[ReleaseStock | DispatchStock],
    status: ReservationStatus,
    causes: events.Causes,
    cached: CatalogChanges,
) -> dict[str, dict]:
    """Ends the live reservations of the commands' orders: key → outcome."""
    # Several commands for one order: the first one moves its pieces, the others find nothing.
    key_of: dict[UUID, str] = {}
    for command in commands:
        key_of.setdefault(command.order_id, command.key)
    live = sql.lock_live_reservations(list(key_of)) if key_of else []
    moved = Counter({command.key: 0 for command in commands})
    if live:
        sold = status == ReservationStatus.SOLD
        items = sql.lock_items_by_pk(list({one.product_pk for one in live}))
        number = sql.end_reserved(_totals(live), sold=sold)
        sql.end_reservations([one.pk for one in live], status)
        sql.insert_ledger(
            LedgerKind.SOLD if sold else LedgerKind.RELEASED,
            [
                sql.Movement(
                    one.product_pk,
                    -one.quantity if sold else 0,
                    -one.quantity,
                    one.order_id,
                    key_of[one.order_id],
                )
                for one in live
            ],
            actor="saga",
        )
        if not sold:
            events.stock_released(live, items, number, causes, why=events.RELEASED)
            # What is sold was not available before.
            cached.products(item.product_id for item in items.values())
        for one in live:
            moved[key_of[one.order_id]] += one.quantity
    return {key: stored(StockResult(key, quantity)) for key, quantity in moved.items()}


def _totals(live: Iterable[sql.LiveReservation]) -> Counter[int]:
    totals: Counter[int] = Counter()
    for one in live:
        totals[one.product_pk] += one.quantity
    return totals


def _results(
    commands: Sequence[ReleaseStock | DispatchStock], outcomes: dict[str, dict]
) -> list[StockResult]:
    return [from_builtins(StockResult, {"key": one.key, **outcomes[one.key]}) for one in commands]
