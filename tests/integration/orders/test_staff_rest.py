"""Orders for staff over HTTP, and what customers see of an order."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.customers.models import User
from apps.messaging.models import StaffChange
from apps.orders import facade
from apps.orders.contracts import ShipOrder
from tests.trade import Trade, axes, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
COMMANDS = ("approve", "ship", "deliver", "cancel")


@pytest.fixture
def trade(gateway):
    return Trade()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def staff(*codenames: str) -> Client:
    user = User.objects.create_user(f"{uuid4().hex}@example.org", name="Staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return client_of(user)


def post(client: Client, order_id, command: str, body: dict | None = None, **headers):
    path = f"/api/v1/staff/orders/{order_id}/{command}"
    headers = {"Idempotency-Key": str(uuid4())} | headers
    return client.post(path, body or {}, content_type="application/json", headers=headers)


def version(order_id) -> int:
    return facade.get_order(order_id).version


def test_staff_ship_and_deliver_at_the_version_they_saw(trade):
    placed = trade.place()
    drive_all()
    clerk = staff("move_order")
    seen = version(placed.order_id)
    shipped = post(clerk, placed.order_id, "ship", {"version": seen})
    assert (shipped.status_code, shipped.json()["status"]) == (202, "shipped")
    stale = post(clerk, placed.order_id, "deliver", {"version": seen})
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    fresh = {"If-Match": f'"{shipped.json()["version"]}"'}
    delivered = post(clerk, placed.order_id, "deliver", **fresh)
    assert (delivered.status_code, delivered.json()["status"]) == (202, "delivered")
    assert axes(placed.order_id) == ("delivered", "captured", "delivered")


def test_staff_approve_and_cancel(trade, settings):
    settings.REVIEW_ABOVE = Decimal("1.00")
    good, bad = trade.place(), trade.place()
    drive_all()
    clerk = staff("move_order", "approve_order")
    assert (
        post(clerk, good.order_id, "approve", {"version": version(good.order_id)}).status_code
        == 202
    )
    body = {"version": version(bad.order_id), "reason": "looks_wrong"}
    assert post(clerk, bad.order_id, "cancel", body).status_code == 202
    drive_all()
    assert axes(good.order_id)[0] == "confirmed"
    assert axes(bad.order_id)[0] == "cancelled"
    assert facade.get_order(bad.order_id).cancel_reason == "looks_wrong"


def test_a_command_without_a_version_is_refused(trade):
    placed = trade.place()
    drive_all()
    answer = post(staff("move_order"), placed.order_id, "ship")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "version")
    assert axes(placed.order_id)[0] == "confirmed"


@pytest.mark.parametrize("command", COMMANDS)
def test_only_staff_with_the_permission_move_orders(trade, command):
    placed = trade.place()
    drive_all()
    before = facade.get_order(placed.order_id)
    body = {"version": before.version}
    owner = client_of(User.objects.get(public_id=trade.customer_id))
    wrong = staff(
        "view_order", "change_order", *{"move_order", "approve_order"} - {_needs(command)}
    )
    assert post(Client(), placed.order_id, command, body).status_code == 401
    assert post(owner, placed.order_id, command, body).status_code == 403
    assert post(wrong, placed.order_id, command, body).status_code == 403
    drive_all()
    assert facade.get_order(placed.order_id) == before


def _needs(command: str) -> str:
    return "approve_order" if command == "approve" else "move_order"


def test_an_unknown_order_is_not_found(trade):
    clerk = staff("move_order", "approve_order", "view_order")
    for command in COMMANDS:
        assert post(clerk, uuid4(), command, {"version": 1}).status_code == 404
    assert clerk.get(f"/api/v1/staff/orders/{uuid4()}").status_code == 404


def test_staff_see_everybodys_orders_and_narrow_them(trade):
    mine, other = trade.place(), Trade(email="bob@example.org").place(card="tok_decline")
    drive_all()
    clerk = staff("view_order")
    listed = clerk.get("/api/v1/staff/orders").json()["results"]
    assert {one["id"] for one in listed} == {str(mine.order_id), str(other.order_id)}
    for query, found in [
        ("status=cancelled", other),
        ("payment_status=captured", mine),
        (f"customer_id={trade.customer_id}", mine),
        ("fulfillment_status=scheduled&review=none", mine),
    ]:
        results = clerk.get(f"/api/v1/staff/orders?{query}").json()["results"]
        assert [one["id"] for one in results] == [str(found.order_id)]
    assert clerk.get("/api/v1/staff/orders?colour=red").status_code == 400
    customer = client_of(User.objects.get(public_id=trade.customer_id))
    assert customer.get("/api/v1/staff/orders").status_code == 403


def test_my_orders_are_narrowed_by_state_and_time(trade):
    trade.place()
    declined = trade.place(card="tok_decline")
    drive_all()
    ada = client_of(User.objects.get(public_id=trade.customer_id))
    results = ada.get("/api/v1/orders?status=cancelled").json()["results"]
    assert [one["id"] for one in results] == [str(declined.order_id)]
    assert ada.get("/api/v1/orders?placed_after=2999-01-01T00:00:00Z").json()["results"] == []
    assert len(ada.get("/api/v1/orders?placed_before=2999-01-01T00:00:00Z").json()["results"]) == 2
    for query in ("status=lost", "placed_after=yesterday", "review=held"):
        assert ada.get(f"/api/v1/orders?{query}").status_code == 400


def test_an_order_tells_its_owner_of_money_and_parcel_but_not_of_the_machinery(trade):
    placed = trade.place()
    drive_all()
    facade.ship_order(ShipOrder(placed.order_id))
    ada = client_of(User.objects.get(public_id=trade.customer_id))
    order = ada.get(f"/api/v1/orders/{placed.order_id}").json()
    succeeded = [one for one in order["payments"] if one["state"] == "succeeded"]
    assert [(one["operation"], one["amount"]["amount"]) for one in succeeded] == [
        ("authorization", "9.50"),
        ("capture", "9.50"),
    ]
    [shipment] = order["shipments"]
    assert (shipment["status"], shipment["tracking_number"][:2]) == ("dispatched", "HF")
    assert {one["source"] for one in order["timeline"]} == {"order", "payment", "shipment"}
    assert order["timeline"][0]["title"] == "Placed"
    assert all(set(one) == {"at", "source", "title", "state"} for one in order["timeline"])


def test_staff_see_all_that_happened(trade):
    placed = trade.place()
    drive_all()
    clerk = staff("view_order", "move_order")
    post(clerk, placed.order_id, "ship", {"version": version(placed.order_id)})
    order = clerk.get(f"/api/v1/staff/orders/{placed.order_id}").json()
    sources = {one["source"] for one in order["timeline"]}
    assert sources == {"order", "saga", "payment", "stock", "shipment", "staff"}
    [note] = StaffChange.objects.using("orders")
    assert (note.action, note.before, note.after) == (
        "ship",
        {"status": "confirmed"},
        {"status": "shipped"},
    )
    assert order["customer_id"] == str(trade.customer_id)


def test_the_detail_asks_as_often_for_a_long_order_as_for_a_short_one(
    trade, django_assert_max_num_queries
):
    placed = trade.place(MUG=1, CUP=2)
    drive_all()
    ada = client_of(User.objects.get(public_id=trade.customer_id))
    ada.get(f"/api/v1/orders/{placed.order_id}")
    with django_assert_max_num_queries(10, using="orders"):
        ada.get(f"/api/v1/orders/{placed.order_id}")
