"""The stock's part in a choreographed checkout: what is paid for is reserved, what is cancelled
is let go.

An order's lines and the word that it is paid come from two sources in any order, and the word that
it is cancelled may overtake both: everything heard of an order is gathered, and what to do follows
from all of it. Once cancelled, nothing is reserved any more.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any
from uuid import UUID

from apps.catalog import facade
from apps.catalog.contracts import ReleaseStock, ReserveStock, StockLine
from apps.catalog.enums import DATABASE
from apps.messaging import inbox
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup
from apps.messaging.outbox import Event, append, marked
from apps.sagas.event_contracts import CHECKOUT_UNDONE, CHOREOGRAPHED, CheckoutUndone

HEARD = "catalog.checkout.heard"
PARTICIPANT = "stock"


def handle(events: Sequence[Received]) -> None:
    """Reserves and releases what the gathered news of the events' orders ask for."""
    told: dict[str, dict[str, Any]] = {}
    for event in events:
        told.setdefault(str(event.payload.order_id), {}).update(_facts(event))
    heard = inbox.gather(DATABASE, HEARD, told)
    paid = [key for key, one in heard.items() if one.get("lines") and one.get("paid")]
    going = [key for key in paid if not heard[key].get("cancelled")]
    undone = [key for key, one in heard.items() if one.get("cancelled") and not one.get("undone")]
    with marked(**CHOREOGRAPHED):
        _release(sorted(undone), heard)
        _reserve(sorted(going, key=lambda key: (heard[key].get("at", ""), key)), heard)


def _facts(event: Received) -> dict[str, Any]:
    if event.topic == "payment.authorized":
        return {"paid": True}
    if event.topic == "checkout.cancelled":
        return {"cancelled": True, "request": event.headers.get("correlation_id", "")}
    lines = [(str(line.product_id), line.quantity) for line in event.payload.lines]
    at = event.payload.placed_at.astimezone(UTC).isoformat(timespec="microseconds")
    return {"lines": lines, "at": at, "request": event.headers.get("correlation_id", "")}


def _reserve(keys: Sequence[str], heard: Mapping[str, Mapping[str, Any]]) -> None:
    """In the order given, that of acceptance; an order that was a cart has an older id."""
    if not keys:
        return
    facade.reserve_stock(
        [
            ReserveStock(
                _key(key),
                UUID(key),
                tuple(StockLine(UUID(product), pieces) for product, pieces in heard[key]["lines"]),
            )
            for key in keys
        ],
        {UUID(key): heard[key]["request"] for key in keys},
    )
    inbox.gather(DATABASE, HEARD, {key: {"lines": None} for key in keys})


def _release(keys: Sequence[str], heard: Mapping[str, Mapping[str, Any]]) -> None:
    if not keys:
        return
    requests = {UUID(key): heard[key]["request"] for key in keys}
    facade.release_stock(
        [ReleaseStock(f"{_key(key)}:undo", _key(key), UUID(key)) for key in keys], requests
    )
    inbox.gather(DATABASE, HEARD, {key: {"lines": None, "undone": True} for key in keys})
    append(
        DATABASE,
        [
            Event(
                CHECKOUT_UNDONE,
                f"{order_id}:{PARTICIPANT}",
                1,
                CheckoutUndone(order_id, PARTICIPANT),
                request,
            )
            for order_id, request in requests.items()
        ],
    )


def _key(order_id: str) -> str:
    return f"checkout:{order_id}"


CHECKOUT = ConsumerGroup(
    "catalog.checkout",
    DATABASE,
    ("order.placed", "payment.authorized", "checkout.cancelled"),
    handle,
    headers=tuple(CHOREOGRAPHED.items()),
)
