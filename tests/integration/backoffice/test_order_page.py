"""The order's page: everything that happened in one line, and what may be done now."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.customers.models import User
from apps.orders import facade
from apps.orders.contracts import ShipOrder
from apps.orders.models import Order
from tests.trade import Trade, axes, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases=list(settings.DATABASES))


@pytest.fixture
def trade(gateway):
    return Trade()


@pytest.fixture
def order_id(trade):
    placed = trade.place(MUG=2, CUP=1)
    drive_all()
    return placed.order_id


def page(order_id) -> str:
    return f"/admin/orders/order/{order_id}/change/"


def move(client, order_id, name, **given):
    given.setdefault("version", facade.get_order(order_id).version)
    return client.post(f"/admin/orders/order/{order_id}/move/{name}/", given, follow=True)


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def offered(client, order_id) -> list[str]:
    return [one.name for one, _ in client.get(page(order_id)).context["moves"]]


def test_the_timeline_tells_all_in_order_of_time(staff, order_id):
    answer = staff.get(page(order_id))
    timeline = [moment for moment, _ in answer.context["timeline"]]

    assert [one.at for one in timeline] == sorted(one.at for one in timeline)
    assert timeline[0].title == "Placed"
    assert {one.source for one in timeline} == {"order", "saga", "payment", "stock", "shipment"}
    told = [(one.source, one.title, one.state) for one in timeline]
    assert ("saga", "Checkout: reserve stock", "Completed") in told
    assert ("payment", "Capture", "Succeeded") in told
    [reserved] = [one for one in timeline if one.source == "stock"]
    assert reserved.detail == "3 pieces: CUP, MUG"
    content = answer.content.decode()
    assert "Ada Lovelace · ada@example.org" in content
    assert "12 St James&#x27;s Square" in content


def test_the_buttons_follow_the_state(staff, order_id):
    assert offered(staff, order_id) == ["ship", "cancel"]
    assert said(move(staff, order_id, "ship")) == [f"{Order.objects.get()} is shipped."]
    assert offered(staff, order_id) == ["deliver"]
    move(staff, order_id, "deliver")
    assert offered(staff, order_id) == []
    assert axes(order_id)[0] == "delivered"


def test_a_cancellation_wants_a_reason_and_shows_it(staff, order_id):
    assert said(move(staff, order_id, "cancel")) == ["reason: This field is required."]
    assert axes(order_id)[0] == "confirmed"

    move(staff, order_id, "cancel", reason="Customer rang")
    drive_all()
    assert axes(order_id) == ("cancelled", "refunded", "cancelled")
    content = staff.get(page(order_id)).content.decode()
    assert "Customer rang" in content
    assert "Parcel cancelled" in content


def test_a_second_member_of_staff_overwrites_nothing(staff, order_id):
    seen = facade.get_order(order_id).version
    facade.ship_order(ShipOrder(order_id, seen))

    for name in ("deliver", "cancel"):
        answer = move(staff, order_id, name, version=seen, reason="x")
        [text] = said(answer)
        assert text.startswith("Changed meanwhile")
    assert axes(order_id)[0] == "shipped"


def test_a_move_that_the_state_forbids_is_refused(staff, order_id):
    [text] = said(move(staff, order_id, "deliver"))
    assert "cannot become delivered" in text
    assert axes(order_id)[0] == "confirmed"


@pytest.mark.parametrize("given", [{"version": ""}, {"version": "x"}, {"version": "0"}])
def test_a_form_that_the_page_did_not_make_does_nothing(staff, order_id, given):
    move(staff, order_id, "ship", **given)
    assert axes(order_id)[0] == "confirmed"


def test_addresses_that_are_none(staff, order_id):
    assert move(staff, order_id, "explode").status_code == 404
    base = "/admin/orders/order"
    assert staff.post(f"{base}/{uuid4()}/move/ship/", {"version": 1}).status_code == 404
    assert staff.get(f"{base}/{order_id}/move/ship/").status_code == 405


def test_who_may_only_look_gets_no_buttons_and_moves_nothing(order_id):
    clerk = User.objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_order"))
    client = Client()
    client.force_login(clerk)

    answer = client.get(page(order_id))
    assert answer.context["moves"] == []
    assert "/admin/customers/user/?q=" not in answer.content.decode()
    assert move(client, order_id, "ship").status_code == 403
    assert axes(order_id)[0] == "confirmed"


def test_the_page_reads_as_often_for_many_lines(staff, trade):
    """Nothing is asked line by line."""
    counts = []
    big = Trade(skus=tuple(f"SKU-{n}" for n in range(20)))
    small = trade.place(MUG=1).order_id
    large = big.place(**dict.fromkeys(big.skus, 1)).order_id
    drive_all()
    for order_id in (small, small, large):
        captures = [CaptureQueriesContext(connections[alias]) for alias in settings.DATABASES]
        for capture in captures:
            capture.__enter__()
        assert staff.get(page(order_id)).status_code == 200
        for capture in captures:
            capture.__exit__(None, None, None)
        counts.append(sum(map(len, captures)))

    assert counts[1] == counts[2] <= 15


def test_a_held_order_is_approved_by_those_who_may(staff, trade, settings):
    settings.REVIEW_ABOVE = Decimal("1.00")
    held = trade.place()
    drive_all()

    assert offered(staff, held.order_id) == ["approve", "cancel"]
    assert said(move(staff, held.order_id, "approve")) == [f"{Order.objects.get()} is approved."]
    drive_all()
    assert axes(held.order_id)[0] == "confirmed"
    assert offered(staff, held.order_id) == ["ship", "cancel"]
