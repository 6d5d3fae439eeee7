"""Shipping's part in a choreographed checkout: a parcel is planned once its goods are reserved and,
where a person has to approve the order, they have; what is cancelled is called back.

As in the catalogue, what to do follows from all that was heard of an order, in any order. Once
cancelled, nothing is scheduled any more.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from apps.common.databases import require_atomic
from apps.messaging import inbox
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup
from apps.messaging.outbox import Event, append, marked
from apps.sagas.event_contracts import CHECKOUT_UNDONE, CHOREOGRAPHED, CheckoutUndone
from apps.shipping import services
from apps.shipping.contracts import ScheduleShipment
from apps.shipping.models import DATABASE

HEARD = "shipping.checkout.heard"
PARTICIPANT = "shipment"
FACTS = {"stock.reserved": "reserved", "order.approved": "approved"}


def shipment_expect(command: ScheduleShipment, *, held: bool) -> None:
    """Takes down where a new order goes, in its transaction, until its goods are reserved; one
    that is ``held`` also waits until it is approved."""
    require_atomic(DATABASE)
    facts = {"address": command.address, "held": held or None}
    inbox.gather(DATABASE, HEARD, {str(command.order_id): facts})


def handle(events: Sequence[Received]) -> None:
    """Schedules and cancels what the gathered news of the events' orders ask for."""
    told: dict[str, dict[str, Any]] = {}
    for event in events:
        facts = told.setdefault(str(event.payload.order_id), {})
        facts[FACTS.get(event.topic, "cancelled")] = True
        facts["request"] = event.headers.get("correlation_id", "")
    heard = inbox.gather(DATABASE, HEARD, told)
    with marked(**CHOREOGRAPHED):
        _cancel([key for key, one in heard.items() if _is_to_be_cancelled(one)], heard)
        _schedule([key for key, one in heard.items() if _is_ready(one)], heard)


def _is_ready(heard: Mapping[str, Any]) -> bool:
    if heard.get("cancelled") or "address" not in heard:  # without: it is scheduled already
        return False
    return bool(heard.get("reserved") and (heard.get("approved") or not heard.get("held")))


def _is_to_be_cancelled(heard: Mapping[str, Any]) -> bool:
    return bool(heard.get("cancelled") and not heard.get("undone"))


def _schedule(keys: Sequence[str], heard: Mapping[str, Mapping[str, Any]]) -> None:
    if not keys:
        return
    services.shipments_schedule(
        [ScheduleShipment(UUID(key), heard[key]["address"]) for key in keys],
        {UUID(key): heard[key]["request"] for key in keys},
    )
    inbox.gather(DATABASE, HEARD, {key: {"address": None} for key in keys})


def _cancel(keys: Sequence[str], heard: Mapping[str, Mapping[str, Any]]) -> None:
    if not keys:
        return
    requests = {UUID(key): heard[key]["request"] for key in keys}
    services.shipments_cancel(list(requests), requests)
    inbox.gather(DATABASE, HEARD, {key: {"address": None, "undone": True} for key in keys})
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


CHECKOUT = ConsumerGroup(
    "shipping.checkout",
    DATABASE,
    ("stock.reserved", "order.approved", "checkout.cancelled"),
    handle,
    headers=tuple(CHOREOGRAPHED.items()),
)
