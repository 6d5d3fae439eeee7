"""Returns and refunds through their saga, with a real gateway process."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import transaction
from moneyed import Money

from apps.common.errors import InvalidInput, VersionConflict
from apps.messaging.idempotency import KeyReused
from apps.messaging.models import Outbox
from apps.orders import facade
from apps.orders.contracts import (
    ApproveReturn,
    CancelOrder,
    DeliverOrder,
    ImportReturn,
    RefuseReturn,
    RequestReturn,
    ReturnItems,
    ReturnLine,
    ShipOrder,
)
from apps.orders.errors import NotReturnable, OrderNotFound, ReturnDecided, ReturnNotFound
from apps.orders.models import Order, OrderReturn
from apps.payments import facade as payments
from apps.payments.contracts import RefundPayment
from apps.sagas.models import SagaRun
from tests.trade import Trade, axes, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def gbp(amount: str) -> Money:
    return Money(amount, "GBP")


@pytest.fixture
def trade(gateway):
    return Trade()


@pytest.fixture
def shipped(trade):
    """An order for three mugs and a cup (38.00 and the shipping charge) that left the house."""
    order_id = trade.place(MUG=3, CUP=1).order_id
    drive_all()
    facade.ship_order(ShipOrder(order_id))
    drive_all()
    return order_id


def items(order_id, *lines, **values) -> ReturnItems:
    words = {"principal": "staff:x", "key": str(uuid4()), "reason": "broken"} | values
    return ReturnItems(order_id=order_id, lines=tuple(ReturnLine(*one) for one in lines), **words)


def asked(trade, order_id, *lines, **values) -> RequestReturn:
    words = {
        "principal": f"customer:{trade.customer_id}",
        "key": str(uuid4()),
        "customer_id": trade.customer_id,
        "reason": "too small",
    }
    lines = tuple(ReturnLine(*one) for one in lines)
    return RequestReturn(order_id=order_id, lines=lines, **words | values)


def refunded(gateway) -> list[str]:
    return [one["refunded"]["amount"] for one in gateway.payments()]


def total(order_id) -> str:
    return str(Order.objects.get(pk=order_id).total)


def status(answer) -> str:
    return OrderReturn.objects.get(pk=answer.return_id).status


def test_goods_come_back_money_goes_back(trade, shipped, gateway):
    answer = facade.return_items(items(shipped, (1, 2)))
    assert (answer.status, answer.version, answer.amount) == ("in_progress", 1, gbp("19.00"))
    drive_all()
    assert status(answer) == "completed"
    assert axes(shipped) == ("shipped", "partially_refunded", "shipped")
    assert refunded(gateway) == ["19.00"]
    assert trade.levels() == {"MUG": (99, 0), "CUP": (99, 0)}
    order = Order.objects.get(pk=shipped)
    assert str(order.returned_total) == "19.00"
    event = Outbox.objects.using("orders").get(topic="order.returned")
    assert event.aggregate_version == order.version
    assert event.payload == {
        "order_id": str(shipped),
        "customer_id": str(trade.customer_id),
        "return_id": str(answer.return_id),
        "amount": {"amount": "19.00", "currency": "GBP"},
        "returned_total": {"amount": "19.00", "currency": "GBP"},
        "placed_at": event.payload["placed_at"],
        "lines": [
            {
                "product_id": str(trade.products["MUG"]),
                "sku": "MUG",
                "name": "Mug",
                "unit_price": "9.50",
                "quantity": 2,
                "restocked": True,
            }
        ],
    }
    assert violations() == {}


def test_damaged_goods_are_refunded_and_not_put_back_on_the_shelf(trade, shipped, gateway):
    answer = facade.return_items(items(shipped, (1, 1, False), (1, 1, True), (2, 1, False)))
    drive_all()
    assert status(answer) == "completed"
    assert refunded(gateway) == ["28.50"]
    assert trade.levels() == {"MUG": (98, 0), "CUP": (99, 0)}
    assert violations() == {}


def test_all_goods_and_the_rest_of_the_money(trade, shipped, gateway):
    facade.deliver_order(DeliverOrder(shipped))
    facade.return_items(items(shipped, (1, 3), (2, 1)))
    drive_all()
    rest = Order.objects.get(pk=shipped).total - 38
    if rest:
        facade.return_items(items(shipped, amount=gbp(str(rest))))
        drive_all()
    assert axes(shipped) == ("delivered", "refunded", "delivered")
    assert refunded(gateway) == [total(shipped)]
    assert violations() == {}


def test_the_same_product_in_several_lines_comes_back_line_by_line(trade):
    cup = replace(trade.command(CUP=2), key="two")
    cup = replace(cup, lines=cup.lines * 2)
    order_id = facade.place_order(cup).order_id
    drive_all()
    facade.ship_order(ShipOrder(order_id))
    drive_all()
    facade.return_items(items(order_id, (1, 2), (2, 1)))
    with pytest.raises(InvalidInput) as refused:
        facade.return_items(items(order_id, (2, 1), (1, 1)))
    [error] = refused.value.errors
    assert (error.field, error.code) == ("lines[1].quantity", "max_value")
    drive_all()
    assert trade.levels()["CUP"] == (99, 0)
    assert violations() == {}


def test_money_without_goods_is_refunded_up_to_what_is_left(trade, shipped, gateway):
    answer = facade.return_items(items(shipped, amount=gbp("5.01")))
    drive_all()
    assert status(answer) == "completed"
    assert refunded(gateway) == ["5.01"]
    assert trade.levels() == {"MUG": (97, 0), "CUP": (99, 0)}
    assert axes(shipped)[1] == "partially_refunded"
    with pytest.raises(InvalidInput) as refused:
        facade.return_items(items(shipped, amount=gbp(total(shipped))))
    [error] = refused.value.errors
    assert (error.field, error.code) == ("amount.amount", "max_value")
    assert violations() == {}


def test_goods_are_refunded_with_no_more_than_is_left_of_the_money(trade, shipped, gateway):
    facade.return_items(items(shipped, amount=gbp(total(shipped)) - gbp("4.00")))
    answer = facade.return_items(items(shipped, (1, 3)))
    free = facade.return_items(items(shipped, (2, 1)))
    assert (answer.amount, free.amount) == (gbp("4.00"), gbp("0.00"))
    drive_all()
    assert (status(answer), status(free)) == ("completed", "completed")
    assert refunded(gateway) == [total(shipped)]
    assert trade.levels() == {"MUG": (100, 0), "CUP": (100, 0)}
    assert violations() == {}


def test_of_what_cannot_come_back_nothing_is_written(shipped):
    before = Order.objects.get(pk=shipped).version
    with pytest.raises(InvalidInput) as refused:
        facade.return_items(items(shipped, (1, 3), (2, 2)))
    assert [one.field for one in refused.value.errors] == ["lines[1].quantity"]
    assert not OrderReturn.objects.exists()
    assert not SagaRun.objects.filter(kind="return").exists()
    assert Order.objects.get(pk=shipped).version == before


def test_only_what_left_the_house_comes_back(trade):
    order_id = trade.place(MUG=1).order_id
    with pytest.raises(NotReturnable):
        facade.return_items(items(order_id, (1, 1)))
    drive_all()
    with pytest.raises(NotReturnable):
        facade.return_items(items(order_id, amount=gbp("1.00")))
    facade.cancel_order(CancelOrder("staff:x", "c", order_id, "changed_mind"))
    drive_all()
    with pytest.raises(NotReturnable):
        facade.return_items(items(order_id, (1, 1)))
    with pytest.raises(OrderNotFound):
        facade.return_items(items(uuid4(), (1, 1)))


def test_a_command_sent_twice_returns_once_and_a_key_means_one_thing(shipped, gateway):
    command = items(shipped, (1, 1))
    first = facade.return_items(command)
    assert facade.return_items(command) == first
    drive_all()
    assert facade.return_items(command) == first
    with pytest.raises(KeyReused):
        facade.return_items(replace(command, reason="other"))
    drive_all()
    assert OrderReturn.objects.count() == 1
    assert refunded(gateway) == ["9.50"]


def test_the_second_of_two_editors_of_an_order_is_told(shipped):
    version = Order.objects.get(pk=shipped).version
    facade.return_items(items(shipped, (1, 1), version=version))
    with pytest.raises(VersionConflict):
        facade.return_items(items(shipped, (1, 1), version=version))


def give_everything_back(order_id) -> None:
    """Behind the shop's back: payments know of a refund that no return asked for."""
    refund = RefundPayment(order_id, uuid4(), gbp(total(order_id)))
    with transaction.atomic(using="orders"):
        payments.prepare_refunds([refund])
    results = payments.perform_refunds([refund])
    with transaction.atomic(using="orders"):
        payments.record_refunds([refund], results)


def test_a_refund_that_is_declined_refuses_the_return_and_what_it_took_is_free(trade, shipped):
    give_everything_back(shipped)
    answer = facade.return_items(items(shipped, (1, 3)))
    drive_all()
    one = OrderReturn.objects.get(pk=answer.return_id)
    assert (one.status, one.version, bool(one.refusal)) == ("refused", 2, True)
    assert trade.levels()["MUG"] == (97, 0)
    assert facade.get_saga(answer.saga_id).status == "compensated"
    assert Order.objects.get(pk=shipped).returned_total == 0
    found = violations()  # that refund is not overlooked
    assert found["returns_refunded_once"] == [str(shipped)]
    assert facade.return_items(items(shipped, (1, 3))).status == "in_progress"


def test_a_customer_asks_and_staff_take_it_back(trade, shipped, gateway):
    answer = facade.request_return(asked(trade, shipped, (1, 2), (2, 1)))
    assert (answer.status, answer.saga_id, answer.amount) == ("requested", None, gbp("28.50"))
    drive_all()
    assert refunded(gateway) == ["0.00"]
    with pytest.raises(InvalidInput):  # the pieces are spoken for
        facade.return_items(items(shipped, (1, 2)))
    approve = ApproveReturn("staff:x", "k", answer.return_id, damaged=(2,), version=1)
    with pytest.raises(InvalidInput) as refused:
        facade.approve_return(replace(approve, damaged=(2, 9)))
    assert [one.field for one in refused.value.errors] == ["damaged"]
    taken = facade.approve_return(approve)
    assert (taken.status, taken.version) == ("in_progress", 2)
    assert facade.approve_return(approve) == taken
    drive_all()
    assert status(answer) == "completed"
    assert refunded(gateway) == ["28.50"]
    assert trade.levels() == {"MUG": (99, 0), "CUP": (99, 0)}
    assert violations() == {}
    with pytest.raises(ReturnDecided):
        facade.refuse_return(RefuseReturn(answer.return_id, "late"))


def test_a_refused_wish_leaves_the_pieces_to_another(trade, shipped):
    answer = facade.request_return(asked(trade, shipped, (1, 3)))
    with pytest.raises(VersionConflict):
        facade.refuse_return(RefuseReturn(answer.return_id, "worn", version=2))
    refuse = RefuseReturn(answer.return_id, "worn", version=1)
    assert facade.refuse_return(refuse).status == "refused"
    assert facade.refuse_return(refuse).version == 2
    with pytest.raises(ReturnDecided):
        facade.approve_return(ApproveReturn("staff:x", "k", answer.return_id))
    assert facade.request_return(asked(trade, shipped, (1, 3))).status == "requested"
    assert violations() == {}


def test_nobody_asks_for_anothers_order(trade, shipped):
    with pytest.raises(OrderNotFound):
        facade.request_return(asked(trade, shipped, (1, 1), customer_id=uuid4()))
    with pytest.raises(ReturnNotFound):
        facade.refuse_return(RefuseReturn(uuid4(), "worn"))


def test_returns_are_imported_in_one_transaction_each_once_for_ever(trade, shipped, gateway):
    commands = [
        ImportReturn(f"file:{n}", shipped, (ReturnLine(1, 1),), "returned") for n in range(3)
    ]
    assert len(facade.import_returns(commands[:2])) == 2
    [new] = facade.import_returns(commands)
    assert new.amount == gbp("9.50")
    with pytest.raises(InvalidInput):
        facade.import_returns(
            [
                ImportReturn("file:8", shipped, (ReturnLine(2, 1),), "returned"),
                ImportReturn("file:9", shipped, (ReturnLine(1, 1),), "returned"),
            ]
        )
    assert OrderReturn.objects.count() == 3
    drive_all()
    assert refunded(gateway) == ["28.50"]
    versions = Outbox.objects.using("orders").filter(topic="order.returned")
    assert len(set(versions.values_list("aggregate_version", flat=True))) == 3
    assert violations() == {}


def test_an_order_is_shipped_with_others_or_none_is(trade):
    first, second = trade.place(MUG=1).order_id, trade.place(MUG=1).order_id
    drive_all()
    facade.cancel_order(CancelOrder("staff:x", "c", second, "changed_mind"))
    drive_all()
    with pytest.raises(Exception, match="cancelled cannot become shipped"):
        facade.ship_orders([ShipOrder(first), ShipOrder(second)])
    assert axes(first)[0] == "confirmed"
    answers = facade.ship_orders([ShipOrder(first), ShipOrder(first)])
    assert [one.status for one in answers] == ["shipped", "shipped"]
    drive_all()
    assert trade.levels()["MUG"] == (99, 0)
    assert violations() == {}
