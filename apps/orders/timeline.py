"""All that happened to an order, in one line of time: saga, money, stock, parcel, staff."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from apps.catalog import facade as catalog
from apps.messaging.models import StaffChange
from apps.orders.enums import DATABASE
from apps.orders.models import Order, OrderReturn
from apps.payments import facade as payments
from apps.sagas import facade as sagas
from apps.shipping import facade as shipping

SUBJECT = "orders.order"
MOST_CHANGES = 200
# The steps that are done with the order's own transaction.
PLACING, RETURNING = "create_order", "record_return"
GOOD, BAD, DOUBTFUL, PLAIN = "success", "danger", "warning", "info"
MOOD = {
    "completed": GOOD,
    "succeeded": GOOD,
    "failed": BAD,
    "parked": BAD,
    "unknown": DOUBTFUL,
    "compensated": DOUBTFUL,
    "compensating": DOUBTFUL,
    "retry": DOUBTFUL,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """``source`` is order, saga, payment, stock, shipment or staff; ``mood`` success, danger,
    warning or info; ``who`` the member of staff, if it was one."""

    at: datetime
    source: str
    title: str
    state: str = ""
    detail: str = ""
    mood: str = PLAIN
    who: str = ""


def order_timeline(order: Order) -> list[Moment]:
    """What happened to ``order``, oldest first; seven queries, however much that was."""
    returns = list(order.returns.order_by("id"))
    moments = [
        Moment(order.placed_at, "order", "Placed", detail=f"{order.total:,} {order.currency}"),
        *_returns(order, returns),
        *_saga(order, returns),
        *_money(order),
        *_stock(order),
        *_parcel(order),
        *_staff(order),
    ]
    return sorted(moments, key=attrgetter("at"))


def _returns(order: Order, returns: list[OrderReturn]) -> Iterator[Moment]:
    for one in returns:
        title = "Return" if one.goods_total or not one.amount else "Refund"
        sum_ = f"{one.amount:,} {order.currency}"
        yield Moment(one.created_at, "order", title, "Requested", _joined(sum_, one.reason))
        if one.ended_at:
            mood = GOOD if one.status == "completed" else DOUBTFUL
            detail = _joined(sum_, one.refusal)
            yield Moment(one.ended_at, "order", title, _words(one.status), detail, mood)


def _saga(order: Order, returns: list[OrderReturn]) -> Iterator[Moment]:
    for one in sagas.history(str(order.pk), *(str(one.pk) for one in returns)):
        if one.step in (PLACING, RETURNING):
            continue
        step = _words(one.step) or "Engine"
        took = f"{one.seconds * 1000:,.0f} ms" if one.seconds is not None else ""
        tries = f"attempt {one.attempt}" if one.attempt > 1 else ""
        undone = "undoing it" if one.direction == "compensation" else ""
        yield Moment(
            one.at,
            "saga",
            f"{_words(one.kind)}: {step[0].lower()}{step[1:]}",
            _words(one.event),
            _joined(undone, tries, took, one.code, one.detail),
            MOOD.get(one.event, PLAIN),
        )


def _money(order: Order) -> Iterator[Moment]:
    for one in payments.ledger(order.pk):
        sum_ = f"{one.amount.amount:,} {one.amount.currency}"
        yield Moment(
            one.created_at,
            "payment",
            _words(one.operation),
            _words(one.state),
            _joined(sum_, one.code, one.detail, one.gateway_reference),
            MOOD.get(one.state, PLAIN),
        )


def _stock(order: Order) -> Iterator[Moment]:
    for one in catalog.stock_moments(order.pk):
        pieces = abs(one.reserved or one.on_hand)
        more = f" and {one.products - len(one.skus)} more" if one.products > len(one.skus) else ""
        yield Moment(
            one.at,
            "stock",
            _words(one.kind),
            detail=_joined(f"{pieces:,} pieces: {', '.join(one.skus)}{more}", one.reason),
        )


def _parcel(order: Order) -> Iterator[Moment]:
    shipment = shipping.shipments([order.pk]).get(order.pk)
    if shipment is None:
        return
    if shipment.failure:
        why = _words(shipment.failure)
        yield Moment(shipment.scheduled_at, "shipment", "Parcel refused", detail=why, mood=BAD)
        return
    for word in ("scheduled", "dispatched", "delivered", "cancelled"):
        if at := getattr(shipment, f"{word}_at"):
            mood = DOUBTFUL if word == "cancelled" else PLAIN
            yield Moment(
                at, "shipment", f"Parcel {word}", detail=shipment.tracking_number, mood=mood
            )


def _staff(order: Order) -> Iterator[Moment]:
    changes = StaffChange.objects.using(DATABASE).filter(subject=SUBJECT, subject_id=str(order.pk))
    for one in changes.order_by("-id")[:MOST_CHANGES]:
        after = ", ".join(f"{_words(key)} {value}" for key, value in (one.after or {}).items())
        yield Moment(one.at, "staff", _words(one.action), detail=after, who=one.actor_name)


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
