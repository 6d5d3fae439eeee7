"""What is told of orders, their money and their parcels, exactly: each fact once, with all that
its readers need, under a version that only grows."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

import orjson
import pytest
from django.db import transaction
from moneyed import Money

from apps.common.contracts import decoder
from apps.common.ids import new_id
from apps.messaging.contracts import find_contract
from apps.messaging.models import Outbox
from apps.orders import facade
from apps.orders.contracts import (
    CancelOrder,
    DeliverOrder,
    ImportedLine,
    ImportOrder,
    ReturnItems,
    ReturnLine,
    ShipOrder,
)
from apps.orders.models import Order
from apps.orders.reconciling import reconcile_money
from apps.orders.timeline import order_timeline
from apps.payments import client
from apps.payments.contracts import Operation
from apps.payments.models import Payment
from apps.sagas.models import SagaRun
from apps.shipping import facade as shipping
from apps.shipping.contracts import ScheduleShipment
from apps.shipping.models import Shipment
from tests.integration.payments.money import open_on_account, operate, prepare, record
from tests.trade import ADDRESS, Trade, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def trade(gateway):
    return Trade()


@pytest.fixture(autouse=True)
def _every_event_keeps_its_contract():
    yield
    versions: dict[str, list[int]] = {}
    for row in Outbox.objects.using("orders").order_by("id"):
        contract = find_contract(row.topic, row.schema_version)
        decoder(contract.payload).decode(orjson.dumps(row.payload))
        assert row.aggregate.startswith(f"{contract.aggregate_kind}:")
        versions.setdefault(row.aggregate, []).append(row.aggregate_version)
    for aggregate, known in versions.items():
        assert all(a < b for a, b in pairwise(known)), (aggregate, known)


def rows(*, after: int = 0) -> list[Outbox]:
    return list(Outbox.objects.using("orders").filter(id__gt=after).order_by("id"))


def topics(*, after: int = 0) -> list[str]:
    return [row.topic for row in rows(after=after)]


def payloads(topic: str) -> list[dict]:
    return [row.payload for row in rows() if row.topic == topic]


def last() -> int:
    return rows()[-1].id


def gbp(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "GBP"}


def moment(order_id) -> str:
    placed_at = Order.objects.get(pk=order_id).placed_at
    return placed_at.isoformat().replace("+00:00", "Z")


def payment_of(order_id, amount: str = "19.00", method: str = "card") -> dict:
    payment_id = Payment.objects.get(order_id=order_id).pk
    return {
        "order_id": str(order_id),
        "payment_id": str(payment_id),
        "amount": gbp(amount),
        "method": method,
    }


def parcel_of(order_id) -> dict:
    parcel = Shipment.objects.get(order_id=order_id)
    return {
        "order_id": str(order_id),
        "shipment_id": str(parcel.pk),
        "tracking_number": parcel.tracking_number,
    }


def order_of(order_id, trade, total: str = "19.00") -> dict:
    return {
        "order_id": str(order_id),
        "customer_id": str(trade.customer_id),
        "total": gbp(total),
        "placed_at": moment(order_id),
    }


def confirmed(trade, **words):
    placed = trade.place(**words or {"MUG": 2})
    drive_all()
    return placed.order_id


def drive_to_the_end() -> None:
    drive_all()
    while SagaRun.objects.filter(finished_at=None).update(next_run_at="2020-01-01T00:00:00Z"):
        drive_all()


def cancel(order_id) -> None:
    facade.cancel_order(CancelOrder("customer:x", "cancel", order_id, "changed_mind"))
    drive_to_the_end()


CHECKOUT = (
    *("order.placed", "payment.authorized", "shipment.scheduled", "payment.captured"),
    "order.confirmed",
)


def test_a_checkout_tells_of_the_order_its_money_and_its_parcel(trade, settings):
    settings.SHIPPING_CHARGE = Decimal("3.50")
    placed = trade.place(MUG=2, CUP=1)
    drive_all()
    order_id = placed.order_id
    assert tuple(topics()) == CHECKOUT
    assert payloads("order.placed") == [
        {
            "order_id": str(order_id),
            "customer_id": str(trade.customer_id),
            "saga_id": str(placed.saga_id),
            "currency": "GBP",
            "goods_total": gbp("28.50"),
            "shipping_total": gbp("3.50"),
            "total": gbp("32.00"),
            "country": "GB",
            "payment_method": "card",
            "held": False,
            "placed_at": moment(order_id),
            "lines": [
                {
                    "product_id": str(trade.products[sku]),
                    "sku": sku,
                    "name": sku.title(),
                    "unit_price": "9.50",
                    "quantity": quantity,
                }
                for sku, quantity in (("MUG", 2), ("CUP", 1))
            ],
        }
    ]
    assert payloads("payment.authorized") == [payment_of(order_id, "32.00")]
    assert payloads("payment.captured") == [payment_of(order_id, "32.00")]
    assert payloads("shipment.scheduled") == [parcel_of(order_id)]
    assert payloads("order.confirmed") == [order_of(order_id, trade, "32.00")]


def test_an_order_that_waits_for_a_person_says_so(trade, settings):
    settings.REVIEW_ABOVE = Decimal("10.00")
    confirmed(trade)
    assert topics() == ["order.placed", "payment.authorized"]
    assert payloads("order.placed")[0]["held"] is True


def test_an_order_of_another_system_is_told_with_its_own_date(trade):
    placed_at = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    line = ImportedLine(trade.products["MUG"], 2, Money("2.55", "GBP"))
    receipt = facade.place_order(
        ImportOrder(
            *("536365", trade.customer_id, (line,), Money("0.00", "GBP")),
            *("tok_unlimited", ADDRESS, placed_at),
        )
    )
    drive_all()
    assert tuple(topics()) == CHECKOUT
    assert payloads("order.placed")[0]["placed_at"] == "2010-12-01T08:26:00Z"
    assert payloads("order.placed")[0]["lines"][0]["unit_price"] == "2.55"
    assert payloads("order.confirmed") == [
        order_of(receipt.order_id, trade, "5.10") | {"placed_at": "2010-12-01T08:26:00Z"}
    ]


def test_a_parcel_that_leaves_and_arrives_is_told_with_its_number(trade):
    order_id = confirmed(trade)
    mark = last()
    facade.ship_order(ShipOrder(order_id, correlation_id="ship-7"))
    facade.deliver_order(DeliverOrder(order_id, correlation_id="deliver-7"))
    drive_all()
    assert [(one.topic, one.headers) for one in rows(after=mark)] == [
        ("shipment.dispatched", {"correlation_id": "ship-7"}),
        ("order.shipped", {"correlation_id": "ship-7"}),
        ("shipment.delivered", {"correlation_id": "deliver-7"}),
        ("order.delivered", {"correlation_id": "deliver-7"}),
    ]
    number = {"tracking_number": parcel_of(order_id)["tracking_number"]}
    assert payloads("shipment.dispatched") == payloads("shipment.delivered")
    assert payloads("shipment.delivered") == [parcel_of(order_id)]
    assert payloads("order.shipped") == [order_of(order_id, trade) | number]
    assert payloads("order.delivered") == [order_of(order_id, trade)]


def test_a_declined_card_is_told_and_so_is_the_end_of_its_order(trade):
    order_id = confirmed(trade, card="tok_decline", MUG=2)
    assert topics() == ["order.placed", "payment.failed", "order.cancelled"]
    assert payloads("payment.failed") == [
        payment_of(order_id)
        | {"operation": "authorization", "code": "card_declined", "refund_id": None}
    ]
    assert payloads("order.cancelled") == [
        order_of(order_id, trade) | {"reason": "card_declined", "payment_status": "declined"}
    ]


def test_a_capture_that_is_declined_undoes_what_was_told(trade):
    order_id = confirmed(trade, card="tok_capture_decline", MUG=2)
    assert topics() == [
        *CHECKOUT[:3],
        *("payment.failed", "shipment.cancelled", "payment.voided", "order.cancelled"),
    ]
    [failed] = payloads("payment.failed")
    assert (failed["operation"], failed["code"]) == ("capture", "capture_declined")
    assert payloads("shipment.cancelled") == [parcel_of(order_id)]
    assert payloads("payment.voided") == [payment_of(order_id)]
    [cancelled] = payloads("order.cancelled")
    assert (cancelled["reason"], cancelled["payment_status"]) == ("capture_declined", "voided")


def test_a_confirmed_order_that_is_cancelled_tells_that_its_money_is_back(trade):
    order_id = confirmed(trade)
    mark = last()
    cancel(order_id)
    assert topics(after=mark) == ["shipment.cancelled", "payment.refunded", "order.cancelled"]
    assert payloads("payment.refunded") == [payment_of(order_id) | {"refund_id": None}]
    assert payloads("order.cancelled") == [
        order_of(order_id, trade) | {"reason": "changed_mind", "payment_status": "refunded"}
    ]


def test_an_order_that_is_cancelled_before_it_was_paid_tells_of_no_money(trade):
    cancel(trade.place().order_id)
    assert topics() == ["order.placed", "order.cancelled"]
    assert payloads("order.cancelled")[0]["payment_status"] == "not_paid"


def test_money_given_back_for_a_return_names_it(trade):
    order_id = confirmed(trade)
    facade.ship_order(ShipOrder(order_id))
    lines = (ReturnLine(1, 1),)
    answer = facade.return_items(ReturnItems("staff:x", "r", order_id, "broken", lines))
    drive_all()
    returned = {"refund_id": str(answer.return_id)}
    assert payloads("payment.refunded") == [payment_of(order_id, "9.50") | returned]
    assert payloads("order.returned")[0]["returned_total"] == gbp("9.50")


def test_a_refund_that_the_gateway_declines_is_told(trade):
    order_id = confirmed(trade)
    facade.ship_order(ShipOrder(order_id))
    by_hand = client.gateway()
    by_hand.refund(Payment.objects.get().pk, Money("15.00", "GBP"), "by hand")
    lines = (ReturnLine(1, 1),)
    answer = facade.return_items(ReturnItems("staff:x", "r", order_id, "broken", lines))
    drive_all()
    assert payloads("payment.failed") == [
        payment_of(order_id, "9.50")
        | {
            "operation": "refund",
            "code": "amount_too_large",
            "refund_id": str(answer.return_id),
        }
    ]


def test_a_country_that_is_not_served_fails_the_shipment_and_undoes_the_order(trade, settings):
    settings.SHIPPING_COUNTRIES = frozenset({"IE", "FR"})
    order_id = confirmed(trade)
    assert topics() == [
        *("order.placed", "payment.authorized", "shipment.failed", "payment.voided"),
        "order.cancelled",
    ]
    parcel = Shipment.objects.get(order_id=order_id)
    assert (parcel.status, parcel.failure) == ("failed", "country_not_served")
    assert payloads("shipment.failed") == [
        {
            "order_id": str(order_id),
            "shipment_id": str(parcel.pk),
            "reason": "country_not_served",
            "country": "GB",
        }
    ]
    assert payloads("order.cancelled")[0]["reason"] == "country_not_served"
    assert trade.levels()["MUG"] == (100, 0)
    moments = order_timeline(Order.objects.get(pk=order_id))
    [refused] = [one for one in moments if one.source == "shipment"]
    assert (refused.title, refused.detail) == ("Parcel refused", "Country not served")
    assert violations() == {}


def test_a_checkout_past_its_deadline_is_told_once(trade):
    placed = trade.place(MUG=2)
    SagaRun.objects.update(deadline_at="2020-01-01T00:00:00Z")
    drive_all()
    assert topics() == ["order.placed", "checkout.timed_out", "order.cancelled"]
    [event] = [row for row in rows() if row.topic == "checkout.timed_out"]
    assert event.aggregate == f"order:{placed.order_id}"
    assert event.payload == order_of(placed.order_id, trade) | {"saga_id": str(placed.saga_id)}
    assert payloads("order.cancelled")[0]["reason"] == "deadline_exceeded"


def test_what_the_reconciler_mends_is_told(trade, settings):
    settings.RECONCILE_AFTER_SECONDS = 0
    order_id = trade.place(MUG=2).order_id
    cancel(order_id)
    mark = last()
    payment_id = Payment.objects.get(order_id=order_id).pk
    total = Money("19.00", "GBP")
    client.gateway().authorize(payment_id, total, "tok_approve", f"{payment_id}:authorize")
    reconcile_money()
    assert topics(after=mark) == ["payment.voided"]
    assert payloads("payment.voided") == [payment_of(order_id)]


def test_movements_on_account_are_told_once_however_often_they_are_recorded():
    [order_id] = open_on_account()
    for operation in (Operation.AUTHORIZE, Operation.CAPTURE, Operation.REVERSE):
        results = operate(operation, order_id)
        record(operation, results)
    assert topics() == ["payment.authorized", "payment.captured", "payment.refunded"]
    assert payloads("payment.captured") == [payment_of(order_id, "12.34", "account")]


def test_what_is_rolled_back_is_not_told(trade):
    [order_id] = open_on_account()
    prepare(Operation.AUTHORIZE, order_id)
    other = new_id()
    with pytest.raises(ZeroDivisionError), transaction.atomic(using="orders"):
        trade.place()
        shipping.schedule([ScheduleShipment(other, {"country": "GB"})])
        shipping.cancel([other])
        assert len(rows()) == 3
        raise ZeroDivisionError
    assert rows() == []
