"""Taking goods back and refunding from the order's page."""

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client

from apps.customers.models import User
from apps.messaging.models import StaffChange
from apps.orders import facade
from apps.orders.contracts import RequestReturn, ReturnLine, ShipOrder
from apps.orders.models import Order, OrderReturn
from tests.trade import Trade, axes, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases=list(settings.DATABASES))


@pytest.fixture
def trade(gateway):
    return Trade()


@pytest.fixture
def shipped(trade):
    order_id = trade.place(MUG=3, CUP=1).order_id
    drive_all()
    facade.ship_order(ShipOrder(order_id))
    drive_all()
    return order_id


@pytest.fixture
def asked(trade, shipped):
    command = RequestReturn(
        principal="customer:x",
        key="k",
        order_id=shipped,
        customer_id=trade.customer_id,
        reason="too small",
        lines=(ReturnLine(1, 2), ReturnLine(2, 1)),
    )
    return facade.request_return(command).return_id


def page(order_id) -> str:
    return f"/admin/orders/order/{order_id}/change/"


def form_of(client: Client, order_id) -> tuple[str, dict]:
    """Where the page's form goes, with what it shows filled in."""
    path = client.get(page(order_id)).context["return_link"]
    form = client.get(path).context["form"]
    return path, {name: form[name].value() for name in ("version", "key")}


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_goods_are_taken_back_and_the_page_shows_it(staff, trade, shipped):
    path, given = form_of(staff, shipped)
    given |= {"good-1": 1, "damaged-1": 1, "reason": "broken", "amount": ""}
    answer = staff.post(path, given, follow=True)
    order = Order.objects.get(pk=shipped)
    assert said(answer) == [f"19.00 GBP are being refunded for {order}."]
    staff.post(path, given, follow=True)  # sent twice
    drive_all()
    assert OrderReturn.objects.count() == 1
    assert axes(shipped)[1] == "partially_refunded"
    assert trade.levels()["MUG"] == (98, 0)
    shown = staff.get(page(shipped))
    [(view, colour, text, link)] = shown.context["returns"]
    assert (view.status, colour, text, link) == ("completed", "success", "Completed", "")
    content = shown.content.decode()
    assert "1 × Mug, 1 × Mug (not fit to be sold)" in " ".join(content.split())
    assert "−19.00" in content
    told = [(one.source, one.title, one.state) for one, _ in shown.context["timeline"]]
    for moment in (
        ("order", "Return", "Requested"),
        ("saga", "Return: refund payment", "Completed"),
        ("saga", "Return: restock", "Completed"),
        ("payment", "Refund", "Succeeded"),
        ("stock", "Returned", ""),
        ("order", "Return", "Completed"),
        ("staff", "Return items", ""),
    ):
        assert moment in told
    assert StaffChange.objects.using("orders").get(action="return_items").after["pieces"] == 2


def test_what_is_wrong_is_said_and_what_was_entered_stays(staff, shipped):
    path, hidden = form_of(staff, shipped)
    for given, problem in (
        ({"good-1": 4}, "MUG: 3 of 3 pieces can still come back."),
        ({"good-1": 1, "damaged-1": 3}, "MUG: 3 of 3 pieces can still come back."),
        ({}, "Enter the pieces that come back, or an amount, not both."),
        ({"good-1": 1, "amount": "2"}, "Enter the pieces that come back, or an amount, not both."),
        ({"amount": "900"}, "are left to be refunded."),
        ({"amount": "much"}, "amount: Enter a number."),
        ({"good-1": 1, "reason": ""}, "reason: This field is required."),
    ):
        answer = staff.post(path, hidden | {"reason": "broken"} | given)
        assert answer.status_code == 400
        assert any(problem in text for text in answer.context["problems"])
        assert answer.context["form"]["key"].value() == str(hidden["key"])
    assert not OrderReturn.objects.exists()


def test_an_amount_is_refunded_without_goods(staff, trade, shipped, gateway):
    path, given = form_of(staff, shipped)
    staff.post(path, given | {"amount": "2.50", "reason": "late"})
    drive_all()
    assert [one["refunded"]["amount"] for one in gateway.payments()] == ["2.50"]
    assert trade.levels()["MUG"] == (97, 0)


def test_the_second_of_two_editors_is_told(staff, shipped):
    path, first = form_of(staff, shipped)
    second = form_of(staff, shipped)[1]
    staff.post(path, first | {"good-1": 1, "reason": "broken"})
    answer = staff.post(path, second | {"good-1": 1, "reason": "broken"}, follow=True)
    assert any("Changed meanwhile" in text for text in said(answer))
    assert OrderReturn.objects.count() == 1


def test_only_what_was_shipped_can_be_returned_and_only_by_whom_may(staff, trade, shipped):
    order_id = trade.place().order_id
    drive_all()
    assert staff.get(page(order_id)).context["return_link"] == ""
    answer = staff.get(f"/admin/orders/order/{order_id}/return/", follow=True)
    assert "only what was shipped can come back" in said(answer)[0]
    clerk = User.objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_order"))
    client = Client()
    client.force_login(clerk)
    assert client.get(page(shipped)).context["return_link"] == ""
    assert client.post(f"/admin/orders/order/{shipped}/return/").status_code == 403


def test_what_a_customer_asks_for_is_taken_back(staff, trade, shipped, asked):
    [(_, _, text, link)] = staff.get(page(shipped)).context["returns"]
    assert text == "Requested"
    assert staff.get(link).status_code == 200
    given = {"version": 1, "decision": "approve", "damaged": ["1"]}
    assert "approved" in said(staff.post(link, given, follow=True))[0]
    drive_all()
    assert OrderReturn.objects.get(pk=asked).status == "completed"
    assert trade.levels() == {"MUG": (97, 0), "CUP": (100, 0)}
    assert "It is completed already." in said(staff.get(link, follow=True))


def test_what_a_customer_asks_for_is_refused_with_a_reason(staff, shipped, asked):
    [(_, _, _, link)] = staff.get(page(shipped)).context["returns"]
    missing = staff.post(link, {"version": 1, "decision": "refuse"})
    assert missing.context["problems"] == ["reason: Say why it is refused."]
    staff.post(link, {"version": 1, "decision": "refuse", "reason": "worn"})
    one = OrderReturn.objects.get(pk=asked)
    assert (one.status, one.refusal) == ("refused", "worn")
    assert "refused: worn" in staff.get(page(shipped)).content.decode()
    late = staff.post(link, {"version": 1, "decision": "approve"}, follow=True)
    assert any("Changed meanwhile" in text for text in said(late))
