"""What is told of stock: one append per transaction, after its movements and under their locks.

Of orders: what they were promised, refused, and let go again. Of products: corrected counts, and
when there is nothing or something again. What is sold was promised before, and its shipment tells
that it left.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from apps.catalog.contracts import AdjustStock, ReserveStatus
from apps.catalog.enums import DATABASE, LedgerKind
from apps.catalog.event_contracts import (
    STOCK_ADJUSTED,
    STOCK_DEPLETED,
    STOCK_REJECTED,
    STOCK_RELEASED,
    STOCK_RESERVED,
    STOCK_RESTOCKED,
    Pieces,
    ShortOf,
    StockAdjusted,
    StockDepleted,
    StockRejected,
    StockReleased,
    StockReserved,
    StockRestocked,
)
from apps.catalog.stock.deciding import NOTHING_HELD, Decision
from apps.catalog.stock.rows import LiveReservation, LockedItem
from apps.common.correlation import current_request_id
from apps.messaging.outbox import Event, append

RELEASED, EXPIRED = "released", "expired"
Causes = Mapping[UUID, str]  # order → id of the request that caused its process


def stock_decided(
    decisions: Sequence[Decision],
    items: Mapping[UUID, LockedItem],
    number: int,
    causes: Causes,
    held: Mapping[UUID, Mapping[UUID, int]] = NOTHING_HELD,
) -> None:
    """``stock.reserved`` or ``.rejected`` for each order, ``.depleted`` for each product of which
    the last available piece was taken; ``items`` are as they were before.

    ``held`` is what the orders' carts held until now (order → product → pieces): a product is
    ``.restocked`` where they leave something of it to the others, and there was nothing."""
    here = current_request_id()
    told: list[Event] = []
    freed: dict[UUID, int] = {}
    freer: dict[UUID, str] = {}
    for order_id, pieces in held.items():
        for product_id, quantity in pieces.items():
            freed[product_id] = freed.get(product_id, 0) + quantity
            freer[product_id] = causes.get(order_id, here)
    taken: dict[UUID, int] = {}
    taker: dict[UUID, str] = {}
    for one in decisions:
        order_id = one.command.order_id
        cause = causes.get(order_id, here)
        if one.result.status is ReserveStatus.RESERVED:
            lines = tuple([Pieces(*piece) for piece in one.take.items()])
            told.append(
                Event(STOCK_RESERVED, order_id, number, StockReserved(order_id, lines), cause)
            )
        else:
            short = tuple(
                [ShortOf(few.product_id, few.requested, few.available) for few in one.result.short]
            )
            told.append(
                Event(STOCK_REJECTED, order_id, number, StockRejected(order_id, short), cause)
            )
        for product_id, quantity in one.take.items():
            taken[product_id] = taken.get(product_id, 0) + quantity
            taker[product_id] = cause
    for product_id, quantity in taken.items():
        item = items[product_id]
        if item.available and item.available + freed.get(product_id, 0) == quantity:
            payload = StockDepleted(product_id, item.on_hand)
            told.append(Event(STOCK_DEPLETED, product_id, number, payload, taker[product_id]))
    for product_id, quantity in freed.items():
        item, rest = items[product_id], quantity - taken.get(product_id, 0)
        if not item.available and rest > 0:
            cause = freer[product_id]
            told.append(_restocked(item, rest, LedgerKind.RELEASED, number, cause))
    append(DATABASE, told)


def stock_held(
    cart_id: UUID,
    deltas: Mapping[UUID, int],
    items: Mapping[UUID, LockedItem],
    *,
    released: int,
    reserved: int,
) -> None:
    """``stock.released`` and ``.reserved`` for a cart whose holds changed by ``deltas`` (product →
    pieces, never 0), ``.depleted`` and ``.restocked`` for the products; ``items`` are as they were
    before, ``released`` and ``reserved`` the numbers of the two movements."""
    cause = current_request_id()
    less = tuple([Pieces(one, -delta) for one, delta in deltas.items() if delta < 0])
    more = tuple([Pieces(one, delta) for one, delta in deltas.items() if delta > 0])
    told: list[Event] = []
    if less:
        payload = StockReleased(cart_id, less, RELEASED)
        told.append(Event(STOCK_RELEASED, cart_id, released, payload, cause))
    if more:
        told.append(Event(STOCK_RESERVED, cart_id, reserved, StockReserved(cart_id, more), cause))
    for product_id, delta in deltas.items():
        item = items[product_id]
        if delta == item.available:
            empty = StockDepleted(product_id, item.on_hand)
            told.append(Event(STOCK_DEPLETED, product_id, reserved, empty, cause))
        elif delta < 0 and not item.available:
            told.append(_restocked(item, -delta, LedgerKind.RELEASED, released, cause))
    append(DATABASE, told)


def stock_released(
    ended: Sequence[LiveReservation],
    items: Mapping[int, LockedItem],
    number: int,
    causes: Causes,
    *,
    why: str,
) -> None:
    """``stock.released`` for each order that holds less than before, ``.restocked`` for each
    product of which nothing was available; ``items`` are as they were before."""
    here = current_request_id()
    lines: dict[UUID, list[Pieces]] = {}
    freed: dict[int, int] = {}
    freer: dict[int, str] = {}
    for one in ended:
        product_id = items[one.product_pk].product_id
        lines.setdefault(one.order_id, []).append(Pieces(product_id, one.quantity))
        freed[one.product_pk] = freed.get(one.product_pk, 0) + one.quantity
        freer[one.product_pk] = causes.get(one.order_id, here)
    told = [
        Event(
            STOCK_RELEASED,
            order_id,
            number,
            StockReleased(order_id, tuple(pieces), why),
            causes.get(order_id, here),
        )
        for order_id, pieces in lines.items()
    ]
    told += [
        _restocked(items[pk], quantity, LedgerKind.RELEASED, number, freer[pk])
        for pk, quantity in freed.items()
        if items[pk].available == 0
    ]
    append(DATABASE, told)


def stock_came(
    pieces: Mapping[int, int],
    items: Iterable[LockedItem],
    kind: LedgerKind,
    number: int,
    causes: Mapping[int, str] | None = None,
) -> None:
    """``stock.restocked`` for each product (by primary key) of which ``pieces`` came in or back;
    ``items`` are as they were before, ``causes`` by primary key too."""
    here, causes = current_request_id(), causes or {}
    append(
        DATABASE,
        [
            _restocked(item, pieces[item.pk], kind, number, causes.get(item.pk, here))
            for item in items
            if item.pk in pieces
        ],
    )


def stock_adjusted(command: AdjustStock, item: LockedItem, numbers: Sequence[int]) -> None:
    """As ``stock_counted``, for one product."""
    moved, items = {item.product_id: command.delta}, {item.product_id: item}
    stock_counted(moved, items, numbers, command.reason.strip())


def stock_counted(
    deltas: Mapping[UUID, int],
    items: Mapping[UUID, LockedItem],
    numbers: Sequence[int],
    reason: str,
) -> None:
    """``stock.adjusted`` for each product (product → pieces, never 0), and ``.depleted`` or
    ``.restocked`` where nothing is or was available; these take the second of ``numbers``.
    ``items`` are as they were before."""
    cause = current_request_id()
    told: list[Event] = []
    for product_id, delta in deltas.items():
        item = items[product_id]
        on_hand, available = item.on_hand + delta, item.available + delta
        payload = StockAdjusted(product_id, delta, on_hand, available, reason)
        told.append(Event(STOCK_ADJUSTED, product_id, numbers[0], payload, cause))
        if available == 0:
            empty = StockDepleted(product_id, on_hand)
            told.append(Event(STOCK_DEPLETED, product_id, numbers[1], empty, cause))
        elif item.available == 0:
            told.append(_restocked(item, delta, LedgerKind.ADJUSTED, numbers[1], cause))
    append(DATABASE, told)


def _restocked(item: LockedItem, quantity: int, kind: LedgerKind, number: int, cause: str) -> Event:
    payload = StockRestocked(item.product_id, quantity, item.available + quantity, kind.value)
    return Event(STOCK_RESTOCKED, item.product_id, number, payload, cause)
