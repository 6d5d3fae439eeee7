"""Returns over HTTP: what customers may ask for, what staff take back, refund and decide."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from apps.customers.models import User
from apps.messaging.models import StaffChange
from apps.orders import facade
from apps.orders.contracts import ShipOrder
from tests.trade import Trade, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def trade(gateway):
    return Trade()


@pytest.fixture
def shipped(trade):
    order_id = trade.place(MUG=2, CUP=1).order_id
    drive_all()
    facade.ship_order(ShipOrder(order_id))
    drive_all()
    return order_id


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def customer(trade):
    return client_of(User.objects.get(public_id=trade.customer_id))


@pytest.fixture
def clerk():
    user = User.objects.create_user(f"{uuid4().hex}@example.org", name="Staff", is_staff=True)
    codenames = ["return_order", "view_orderreturn", "view_order"]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return client_of(user)


def post(client: Client, path: str, body: dict, **headers):
    headers = {"Idempotency-Key": str(uuid4())} | headers
    return client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)


def problem(answer) -> tuple:
    body = answer.json()
    return answer.status_code, body["code"], [one["field"] for one in body.get("errors", [])]


def version(order_id) -> int:
    return facade.get_order(order_id).version


def test_a_customer_asks_staff_approve_and_the_order_shows_it(shipped, customer, clerk):
    body = {"lines": [{"position": 1, "quantity": 2}], "reason": "too small"}
    asked = post(customer, f"orders/{shipped}/returns", body)
    assert asked.status_code == 201
    answer = asked.json()
    assert answer == {
        "id": answer["id"],
        "order_id": str(shipped),
        "status": "requested",
        "version": 1,
        "amount": {"amount": "19.00", "currency": "GBP"},
        "saga_id": None,
    }
    listed = clerk.get("/api/v1/staff/returns?status=requested").json()["results"]
    assert [one["id"] for one in listed] == [answer["id"]]
    path = f"staff/returns/{answer['id']}"
    assert problem(post(clerk, f"{path}/approve", {})) == (400, "invalid", ["version"])
    taken = post(clerk, f"{path}/approve", {"damaged": [1]}, **{"If-Match": '"1"'})
    assert (taken.status_code, taken.json()["status"]) == (202, "in_progress")
    drive_all()
    order = customer.get(f"/api/v1/orders/{shipped}").json()
    assert order["payment_status"] == "partially_refunded"
    assert order["returned_total"]["amount"] == "19.00"
    [one] = order["returns"]
    assert (one["status"], one["reason"], one["version"]) == ("completed", "too small", 3)
    assert [(line["sku"], line["quantity"], line["restock"]) for line in one["lines"]] == [
        ("MUG", 2, False)
    ]
    told = [(moment["title"], moment["state"]) for moment in order["timeline"]]
    assert ("Return", "Requested") in told
    assert ("Return", "Completed") in told
    saga = customer.get(f"/api/v1/sagas/{taken.json()['saga_id']}").json()
    assert (saga["kind"], saga["order_id"], saga["status"]) == ("return", str(shipped), "completed")
    assert [step["name"] for step in saga["steps"]] == [
        *("record_return", "refund_payment", "restock", "complete_return")
    ]
    assert clerk.get(f"/api/v1/{path}").json() == one


def test_staff_take_goods_back_and_leave_a_note(shipped, clerk):
    body = {
        "lines": [{"position": 1, "quantity": 1}, {"position": 2, "quantity": 1, "restock": False}],
        "reason": "broken",
        "version": version(shipped),
    }
    key = {"Idempotency-Key": "one"}
    taken = post(clerk, f"staff/orders/{shipped}/returns", body, **key)
    assert (taken.status_code, taken.json()["amount"]["amount"]) == (202, "19.00")
    assert post(clerk, f"staff/orders/{shipped}/returns", body, **key).json() == taken.json()
    drive_all()
    assert len(facade.get_order(shipped).lines) == 2
    note = StaffChange.objects.using("orders").get(action="return_items")
    assert note.subject_id == str(shipped)
    assert note.after == {"pieces": 2, "refund": "19.00 GBP", "reason": "broken"}


def test_staff_refund_an_amount_and_refuse_a_wish(shipped, customer, clerk):
    body = {"amount": {"amount": "3.00", "currency": "GBP"}, "reason": "late"}
    refund = post(clerk, f"staff/orders/{shipped}/returns", body | {"version": version(shipped)})
    assert refund.status_code == 202
    asked = post(
        customer,
        f"orders/{shipped}/returns",
        {"lines": [{"position": 2, "quantity": 1}], "reason": "why not"},
    ).json()
    path = f"staff/returns/{asked['id']}/refuse"
    refused = post(clerk, path, {"reason": "worn", "version": 1})
    assert (refused.status_code, refused.json()["status"]) == (200, "refused")
    drive_all()
    shown = customer.get(f"/api/v1/orders/{shipped}").json()["returns"]
    assert [(one["status"], one["refusal"], one["amount"]["amount"]) for one in shown] == [
        ("refused", "worn", "9.50"),
        ("completed", "", "3.00"),
    ]
    actions = StaffChange.objects.using("orders").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["refund", "refuse_return"]


def test_what_cannot_be_is_named(shipped, clerk):
    good = {"reason": "broken", "version": version(shipped)}
    for body, fields in (
        ({"lines": [{"position": 1, "quantity": 3}]}, ["lines[0].quantity"]),
        ({"lines": [{"position": 9, "quantity": 1}]}, ["lines[0].position"]),
        ({"lines": [{"position": 1, "quantity": 0}]}, ["lines[0].quantity"]),
        ({}, ["lines"]),
        ({"amount": {"amount": "999.00", "currency": "GBP"}}, ["amount.amount"]),
        ({"lines": [{"position": 1, "quantity": 1}], "reason": " "}, ["reason"]),
        ({"lines": [{"position": 1, "quantity": 1}], "reason": "x" * 61}, ["reason"]),
    ):
        answer = post(clerk, f"staff/orders/{shipped}/returns", good | body)
        assert problem(answer) == (400, "invalid", fields)


def test_a_key_and_the_right_order_are_needed(trade, shipped, customer, clerk):
    body = {"lines": [{"position": 1, "quantity": 1}], "reason": "broken"}
    for client, path in ((customer, "orders"), (clerk, "staff/orders")):
        answer = post(client, f"{path}/{shipped}/returns", body, **{"Idempotency-Key": ""})
        assert problem(answer) == (400, "invalid", ["Idempotency-Key"])
    stale = body | {"version": version(shipped) - 1}
    assert problem(post(clerk, f"staff/orders/{shipped}/returns", stale))[:2] == (
        *(409, "version_conflict"),
    )
    unsent = trade.place(MUG=1).order_id
    assert problem(post(customer, f"orders/{unsent}/returns", body))[:2] == (409, "not_returnable")
    stranger = client_of(User.objects.create_user("bob@example.org", name="Bob"))
    assert post(stranger, f"orders/{shipped}/returns", body).status_code == 404
