"""Holds: pieces kept for a cart for a while (docs/decisions/0031).

A hold is a live reservation with an end (``expires_at``), under the id that the order of that cart
will have. The clock ends it, the cart changes it, and the order that comes of the cart takes it
over in the transaction that reserves (``reserving``). Nobody else is promised these pieces.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from apps.catalog.caching.writing import writing
from apps.catalog.contracts import HeldStock, HoldStock, StockLine
from apps.catalog.enums import DATABASE, LedgerKind, ReservationStatus
from apps.catalog.stock import events, hold_sql, sql
from apps.catalog.stock.deciding import demand_of
from apps.catalog.stock.rows import LiveHold, LockedItem
from apps.common.failpoints import failpoint

ACTOR, REFERENCE = "cart", "hold"
TAKEN_OVER = "The order took the hold of its cart over."


def hold(command: HoldStock) -> HeldStock:
    """Makes the holds of a cart what the command says, all of them for ``seconds`` from now.

    Of a product with too few pieces the cart gets those that there are, of an unknown or deleted
    one none; a product that is not named loses its hold. Once the cart is an order that has
    reserved, nothing moves and ``ordered`` is true. Raises ``InvalidInput`` for a line of less
    than one piece.
    """
    wanted = demand_of(command)
    with writing() as cached, transaction.atomic(using=DATABASE):
        # Edits of one cart wait for each other here, before any row is locked.
        hold_sql.lock_cart(command.cart_id)
        held = {one.product_id: one for one in hold_sql.lock_holds([command.cart_id])}
        items = sql.lock_items([*wanted, *(held.keys() - wanted.keys())])
        # Read under the items' locks: an order reserves only while it has them.
        ordered = hold_sql.has_reserved(command.cart_id)
        lines: dict[UUID, int] = {}
        if not ordered:
            lines = _within_reach(wanted, held, items)
            _move(command, lines, held, items)
            cached.products(lines.keys() | held.keys())
        failpoint("catalog.hold.before_commit")
    failpoint("catalog.hold.after_commit")
    return HeldStock(tuple(StockLine(*line) for line in lines.items()), ordered)


def _within_reach(
    wanted: Mapping[UUID, int], held: Mapping[UUID, LiveHold], items: Mapping[UUID, LockedItem]
) -> dict[UUID, int]:
    """What the cart can have of each product: at most what is free and what it holds already."""
    lines = {}
    for product_id, quantity in wanted.items():
        item = items.get(product_id)
        own = held[product_id].quantity if product_id in held else 0
        free = item.available + own if item is not None and item.living else 0
        if least := min(quantity, free):
            lines[product_id] = least
    return lines


def _move(
    command: HoldStock,
    lines: Mapping[UUID, int],
    held: Mapping[UUID, LiveHold],
    items: Mapping[UUID, LockedItem],
) -> None:
    before = {product_id: one.quantity for product_id, one in held.items()}
    deltas = {
        product_id: delta
        for product_id in lines.keys() | before.keys()
        if (delta := lines.get(product_id, 0) - before.get(product_id, 0))
    }
    freed = {items[one].pk: -delta for one, delta in deltas.items() if delta < 0}
    taken = {items[one].pk: delta for one, delta in deltas.items() if delta > 0}
    released = sql.end_reserved(freed, sold=False) if freed else 0
    reserved = sql.add_reserved(taken) if taken else 0
    ended = [one.pk for product_id, one in held.items() if product_id not in lines]
    if ended:
        sql.end_reservations(ended, ReservationStatus.RELEASED)
    if lines:
        pieces = {items[product_id].pk: quantity for product_id, quantity in lines.items()}
        hold_sql.set_holds(command.cart_id, pieces, seconds=command.seconds)
    for kind, moved, sign in ((LedgerKind.RELEASED, freed, -1), (LedgerKind.RESERVED, taken, 1)):
        if moved:
            rows = [
                sql.Movement(pk, 0, sign * pieces, command.cart_id, REFERENCE)
                for pk, pieces in moved.items()
            ]
            sql.insert_ledger(kind, rows, actor=ACTOR)
    if deltas:
        events.stock_held(command.cart_id, deltas, items, released=released, reserved=reserved)


def take_over(order_ids: Sequence[UUID]) -> list[LiveHold]:
    """Locks what the carts of these orders still hold; call it before the items are locked."""
    return hold_sql.lock_holds(order_ids)


def end(holds: Sequence[LiveHold], references: Mapping[UUID, str]) -> None:
    """Ends the holds that their orders (``references``: order → key of its command) take over, in
    the transaction that reserves, with the items' locks: what they held is free for what the order
    takes at once."""
    totals: dict[int, int] = {}
    for one in holds:
        totals[one.product_pk] = totals.get(one.product_pk, 0) + one.quantity
    sql.end_reserved(totals, sold=False)
    sql.end_reservations([one.pk for one in holds], ReservationStatus.RELEASED)
    rows = [
        sql.Movement(one.product_pk, 0, -one.quantity, one.order_id, references[one.order_id])
        for one in holds
    ]
    sql.insert_ledger(LedgerKind.RELEASED, rows, actor="saga", reason=TAKEN_OVER)
