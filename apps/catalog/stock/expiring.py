"""Holds whose time is over: what was promised for a while is free again."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from apps.catalog.caching.writing import CatalogChanges, writing
from apps.catalog.contracts import ExpiredHolds
from apps.catalog.enums import DATABASE, LedgerKind, ReservationStatus
from apps.catalog.stock import events, hold_sql, sql
from apps.catalog.stock.rows import LiveReservation
from apps.common.failpoints import failpoint

REFERENCE = "expiry"


def expire_holds(*, most: int, cart_ids: Sequence[UUID] | None = None) -> ExpiredHolds:
    """Releases at most ``most`` live reservations whose ``expires_at`` is past, in one transaction;
    with ``cart_ids`` all of these carts.

    A saga's reservation has no ``expires_at`` and is never touched. One that another transaction
    is ending or keeping right now is passed over; whatever is left is found the next time.
    """
    with writing() as cached, transaction.atomic(using=DATABASE):
        if cart_ids is None:
            due = sql.lock_expired_reservations(most)
        else:
            due = hold_sql.lock_holds_of(cart_ids, expired=True)
        _end(due, cached, reason="The hold expired.", why=events.EXPIRED)
        failpoint("catalog.expire.before_commit")
    failpoint("catalog.expire.after_commit")
    return ExpiredHolds(len(due), sum(one.quantity for one in due))


def end_holds(cart_ids: Sequence[UUID]) -> ExpiredHolds:
    """Releases what is held under these ids, in one transaction: nobody waits for it any more.

    What another transaction is taking over right now is passed over.
    """
    with writing() as cached, transaction.atomic(using=DATABASE):
        held = hold_sql.lock_holds_of(cart_ids, expired=False)
        _end(held, cached, reason="The order of the cart was cancelled.", why=events.RELEASED)
        failpoint("catalog.expire.before_commit")
    failpoint("catalog.expire.after_commit")
    return ExpiredHolds(len(held), sum(one.quantity for one in held))


def _end(due: Sequence[LiveReservation], cached: CatalogChanges, *, reason: str, why: str) -> None:
    if not due:
        return
    totals: Counter[int] = Counter()
    for one in due:
        totals[one.product_pk] += one.quantity
    items = sql.lock_items_by_pk(list(totals))
    number = sql.end_reserved(totals, sold=False)
    sql.end_reservations([one.pk for one in due], ReservationStatus.RELEASED)
    sql.insert_ledger(
        LedgerKind.RELEASED,
        [sql.Movement(one.product_pk, 0, -one.quantity, one.order_id, REFERENCE) for one in due],
        actor="clock" if why == events.EXPIRED else "saga",
        reason=reason,
    )
    events.stock_released(due, items, number, {}, why=why)
    cached.products(item.product_id for item in items.values())
