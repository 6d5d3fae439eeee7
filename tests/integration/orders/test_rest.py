"""Orders over HTTP: conventions, ownership, waiting."""

import threading
from uuid import uuid4

import pytest
from django.db import connections
from django.test import Client

from apps.common.databases import execute
from apps.common.rest import waiting
from apps.customers import addresses
from apps.customers.contracts import Address
from apps.customers.models import User
from apps.customers.services import customer_update
from apps.orders import facade
from apps.orders.models import Order
from tests.trade import Trade, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")

ADDRESS = {"name": "Ada", "line1": "12 St James's Square", "city": "London", "country": "GB"}


def api(user: User) -> Client:
    """A client that is logged in as ``user``."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def trade(gateway):
    return Trade()


@pytest.fixture
def ada(trade):
    return api(User.objects.get(public_id=trade.customer_id))


def body(trade: Trade, quantity: int = 1, **values) -> dict:
    known = {
        "lines": [{"product_id": str(trade.products["MUG"]), "quantity": quantity}],
        "payment": {"card_token": "tok_approve"},
        "shipping_address": ADDRESS,
    }
    return {name: value for name, value in (known | values).items() if value is not None}


def post(client: Client, data: dict, *, key: str = "", path: str = "/api/v1/orders", **headers):
    headers |= {"Idempotency-Key": key or str(uuid4())}
    return client.post(path, data, content_type="application/json", headers=headers)


def fields(answer) -> list[tuple[str, str]]:
    assert answer["Content-Type"] == "application/problem+json"
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


def test_an_order_is_accepted_with_links_to_it_and_its_saga(ada, trade):
    answer = post(ada, body(trade, 2))
    assert answer.status_code == 202
    placed = answer.json()
    assert (placed["status"], placed["total"]) == (
        "pending",
        {"amount": "19.00", "currency": "GBP"},
    )
    assert answer["Location"] == placed["links"]["order"] == f"/api/v1/orders/{placed['id']}"
    assert placed["links"]["saga"] == f"/api/v1/sagas/{placed['saga_id']}"
    drive_all()
    order = ada.get(placed["links"]["order"]).json()
    assert (order["status"], order["payment_status"]) == ("confirmed", "captured")
    assert order["shipping_address"]["city"] == "London"
    assert [(line["sku"], line["quantity"]) for line in order["lines"]] == [("MUG", 2)]
    saga = ada.get(placed["links"]["saga"]).json()
    assert (saga["status"], saga["order_id"], len(saga["steps"])) == ("completed", placed["id"], 6)


def test_the_request_id_goes_along_with_the_saga(ada, trade):
    answer = post(ada, body(trade), **{"X-Request-ID": "trace-7"})
    assert answer["X-Request-ID"] == "trace-7"
    assert facade.get_saga(answer.json()["saga_id"]).correlation_id == "trace-7"


def test_a_repeat_with_the_same_key_gets_the_same_body(ada, trade):
    first = post(ada, body(trade), key="k")
    again = post(ada, body(trade), key="k")
    assert (again.status_code, again.content) == (202, first.content)
    assert Order.objects.count() == 1
    other = post(ada, body(trade, 2), key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_repeat_gets_its_answer_though_the_address_it_named_is_gone(ada, trade):
    owner = User.objects.get(public_id=trade.customer_id)
    address = addresses.address_create(user_id=owner.pk, address=Address(**ADDRESS))
    wish = body(trade, shipping_address=None, address_id=str(address.public_id))
    first = post(ada, wish, key="k")
    assert first.status_code == 202
    addresses.address_delete(address_id=address.pk)
    again = post(ada, wish, key="k")
    assert (again.status_code, again.content) == (202, first.content)
    order = ada.get(first.json()["links"]["order"]).json()
    assert order["shipping_address"]["line1"] == ADDRESS["line1"]
    assert fields(post(ada, wish)) == [("address_id", "not_found")]


def test_waiting_answers_201_with_the_final_state_once_the_saga_ended(ada, trade):
    placed = post(ada, body(trade), key="k").json()
    drive_all()
    answer = post(ada, body(trade), key="k", Prefer="wait=5")
    assert (answer.status_code, answer.json()["id"]) == (201, placed["id"])
    assert answer.json()["status"] == "confirmed"
    assert answer.json()["version"] > placed["version"]


def test_those_who_wait_leave_room_for_those_who_do_not(ada, trade, monkeypatch):
    placed = post(ada, body(trade), key="k").json()
    drive_all()
    monkeypatch.setattr(waiting, "seats", threading.BoundedSemaphore(1))
    with waiting.seats:  # somebody else's
        answer = post(ada, body(trade), key="k", Prefer="wait=5")
    assert (answer.status_code, answer.json()["id"]) == (202, placed["id"])
    assert post(ada, body(trade), key="k", Prefer="wait=5").status_code == 201


def test_waiting_in_vain_answers_202(ada, trade):
    answer = post(ada, body(trade), Prefer="wait=1")
    assert (answer.status_code, answer.json()["status"]) == (202, "pending")


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"lines": []}, "lines", "min_length"),
        ({"lines": None}, "lines", "required"),
        ({"payment": {}}, "payment.card_token", "required"),
        ({"payment": {"card_token": "t" * 65}}, "payment.card_token", "max_length"),
        ({"shipping_address": None}, "shipping_address", "required"),
        ({"shipping_address": {**ADDRESS, "country": "XX"}}, "shipping_address.country", "country"),
        (
            {"shipping_address": {**ADDRESS, "planet": "?"}},
            "shipping_address.planet",
            "unknown_field",
        ),
        ({"placed_at": "2010-12-01T00:00:00Z"}, "placed_at", "unknown_field"),
        ({"external_reference": "x"}, "external_reference", "unknown_field"),
        (
            {"shipping_address": None, "address_id": "01890a5d-ac96-774b-bcce-b302099a8057"},
            "address_id",
            "not_found",
        ),
    ],
)
def test_bad_input_names_its_field_and_writes_nothing(ada, trade, values, field, code):
    answer = post(ada, body(trade, **values))
    assert answer.status_code == 400
    assert (field, code) in fields(answer)
    assert Order.objects.count() == 0


def test_prices_cannot_be_brought_along(ada, trade):
    line = {"product_id": str(trade.products["MUG"]), "quantity": 1, "unit_price": "0.01"}
    answer = post(ada, body(trade, lines=[line]))
    assert fields(answer) == [("lines[0].unit_price", "unknown_field")]
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("quantity", "code"), [(0, "min_value"), (-3, "min_value"), (10**30, "max_value")]
)
def test_a_quantity_out_of_range_names_its_line(ada, trade, quantity, code):
    answer = post(ada, body(trade, quantity))
    assert (answer.status_code, fields(answer)) == (400, [("lines[0].quantity", code)])
    assert Order.objects.count() == 0


def test_an_order_needs_a_key(ada, trade):
    answer = ada.post("/api/v1/orders", body(trade), content_type="application/json")
    assert (answer.status_code, fields(answer)) == (400, [("Idempotency-Key", "required")])
    assert Order.objects.count() == 0


def test_somebody_elses_order_and_saga_are_not_found(ada, trade):
    placed = post(ada, body(trade)).json()
    bob = api(User.objects.get(public_id=Trade(email="bob@example.org").customer_id))
    for path in placed["links"].values():
        assert bob.get(path).status_code == 404
    path = f"{placed['links']['order']}/cancel"
    assert post(bob, {}, path=path).status_code == 404
    assert bob.get("/api/v1/orders").json()["results"] == []
    assert facade.get_saga(placed["saga_id"]).status == "pending"


def test_nobody_gets_in_without_a_login(trade):
    placed = trade.place()
    for path in ("orders", f"orders/{placed.order_id}", f"sagas/{placed.saga_id}"):
        assert Client().get(f"/api/v1/{path}").status_code == 401
    assert post(Client(), body(trade)).status_code == 401
    assert post(Client(), {}, path=f"/api/v1/orders/{placed.order_id}/cancel").status_code == 401
    assert Order.objects.count() == 1


def test_my_orders_come_newest_first_in_pages(ada, trade):
    ids = [post(ada, body(trade)).json()["id"] for _ in range(3)]
    page = ada.get("/api/v1/orders?limit=2").json()
    assert [order["id"] for order in page["results"]] == [ids[2], ids[1]]
    rest = ada.get(page["next"]).json()
    assert [order["id"] for order in rest["results"]] == [ids[0]]
    assert rest["next"] is None


def test_the_list_asks_as_often_for_many_orders_as_for_one(ada, trade, django_assert_num_queries):
    trade.place()
    ada.get("/api/v1/orders")
    with django_assert_num_queries(2, using="orders"):
        ada.get("/api/v1/orders")
    for _ in range(5):
        trade.place(MUG=1, CUP=2)
    with django_assert_num_queries(2, using="orders"):
        assert len(ada.get("/api/v1/orders").json()["results"]) == 6


def test_an_order_is_cancelled_by_its_saga(ada, trade):
    placed = post(ada, body(trade)).json()
    drive_all()
    path = f"{placed['links']['order']}/cancel"
    answer = post(ada, {"reason": "changed_mind"}, path=path, key="c")
    assert (answer.status_code, answer.json()["status"]) == (202, "confirmed")
    assert post(ada, {"reason": "changed_mind"}, path=path, key="c").content == answer.content
    drive_all()
    order = ada.get(placed["links"]["order"]).json()
    assert (order["status"], order["payment_status"]) == ("cancelled", "refunded")
    assert ada.get(f"/api/v1/sagas/{answer.json()['saga_id']}").json()["kind"] == "cancellation"


def test_cancelling_with_a_stale_version_is_a_conflict_that_tells_the_present_one(ada, trade):
    placed = post(ada, body(trade)).json()
    drive_all()
    path = f"{placed['links']['order']}/cancel"
    answer = post(ada, {"version": 1}, path=path)
    assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
    assert answer.json()["version"] == facade.get_order(placed["id"]).version


def let_buy_on_account(trade: Trade) -> User:
    customer = User.objects.get(public_id=trade.customer_id)
    return customer_update(user_id=customer.pk, changes={"buys_on_account": True})


def test_an_order_is_paid_by_card_unless_it_says_otherwise(ada, trade):
    first = post(ada, body(trade), key="k")
    again = post(ada, body(trade, payment_method="card"), key="k")
    assert (again.status_code, again.content) == (202, first.content)


def test_whom_staff_let_buys_on_account_and_needs_no_card(ada, trade):
    let_buy_on_account(trade)
    wish = body(trade, payment=None, payment_method="account")
    first = post(ada, wish, key="k")
    assert first.status_code == 202, first.json()
    assert post(ada, wish, key="k").content == first.content
    by_card = post(ada, body(trade), key="k")
    assert (by_card.status_code, by_card.json()["code"]) == (422, "idempotency_key_reused")


def test_a_repeat_is_answered_after_buying_on_account_has_ended(ada, trade):
    customer = let_buy_on_account(trade)
    wish = body(trade, payment=None, payment_method="account")
    first = post(ada, wish, key="k")
    customer_update(user_id=customer.pk, changes={"buys_on_account": False})
    assert post(ada, wish, key="k").content == first.content


def test_nobody_buys_on_account_unless_staff_let_them(ada, trade):
    answer = post(ada, body(trade, payment=None, payment_method="account"))
    assert (answer.status_code, answer.json()["code"]) == (422, "payment_method_not_allowed")
    assert fields(answer) == [("payment_method", "not_allowed")]
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("values", "errors"),
    [
        ({"payment": None}, [("payment", "required")]),
        ({"payment_method": "card", "payment": None}, [("payment", "required")]),
        ({"payment_method": "account"}, [("payment", "not_allowed")]),
        ({"payment_method": "cash"}, [("payment_method", "invalid_choice")]),
        ({"payment_method": ["card"]}, [("payment_method", "invalid_choice")]),
    ],
)
def test_a_method_and_a_card_must_fit_each_other(ada, trade, values, errors):
    let_buy_on_account(trade)
    answer = post(ada, body(trade, **values))
    assert (answer.status_code, fields(answer)) == (400, errors)


def test_a_repeat_is_answered_while_the_catalogue_does_not_answer(ada, trade):
    first = post(ada, body(trade), key="k")
    execute("catalog", "SET lock_timeout = '20ms'")
    somebody = connections["catalog"].copy()
    try:
        somebody.set_autocommit(False)
        with somebody.cursor() as cursor:
            cursor.execute("LOCK TABLE catalog_product")
        again, other = post(ada, body(trade), key="k"), post(ada, body(trade))
    finally:
        somebody.close()
        execute("catalog", "RESET lock_timeout")
    assert (again.status_code, again.content) == (202, first.content)
    assert (other.status_code, other.json()["code"]) == (503, "unavailable")
