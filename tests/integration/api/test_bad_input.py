"""Whatever is sent, a bad request names its field and writes nothing."""

from decimal import Decimal

import pytest
from moneyed import Money

from apps.catalog.models import Product
from apps.customers.models import User
from apps.orders.models import Order
from tests.integration.api.addresses import all_addresses
from tests.integration.api.conftest import row_counts
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["default", "catalog", "orders", "reporting"])
ORDERS = "/api/v1/orders"
KEY = {"Idempotency-Key": "second"}
NO_ID = "0190f5a0-7c1e-7d52-8f2a-3f5d6a1b2c3d"
TEN_MEGABYTES = 10 * 1024 * 1024
WRITES = [
    (address, method)
    for address in all_addresses()
    for method in sorted(address.methods & {"POST", "PUT", "PATCH", "DELETE"})
]
ALL_METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}


def refused(response, status=400):
    """The fields and codes of a problem document."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    return [(error["field"], error["code"]) for error in document.get("errors", [])]


def test_the_good_order_is_taken(a_shop):
    """The control of all that follows: what is refused below differs from this in one thing."""
    before = row_counts()
    response = a_shop.client().post(ORDERS, a_shop.body(), headers=KEY)
    assert response.status_code == 202
    after = row_counts()
    assert after["orders.orders_order"] == before["orders.orders_order"] + 1
    assert Order.objects.get(pk=response.json()["id"]).customer_id == a_shop.user.public_id


def put(path, value):
    """A change of the good body: ``put("lines.0.quantity", 0)``."""

    def change(body):
        *parents, last = [int(name) if name.isdigit() else name for name in path.split(".")]
        for name in parents:
            body = body[name]
        if value is ...:
            del body[last]
        else:
            body[last] = value

    change.__name__ = f"{path}={str(value)[:20]}"
    return change


LINE = {"product_id": NO_ID, "quantity": 1}
BAD_ORDERS = [
    (put("colour", "red"), "colour", "unknown_field"),
    (put("placed_at", "2010-12-01T00:00:00Z"), "placed_at", "unknown_field"),
    (put("external_reference", "X"), "external_reference", "unknown_field"),
    (put("lines.0.unit_price", "0.01"), "lines[0].unit_price", "unknown_field"),
    (put("payment.amount", 1), "payment.amount", "unknown_field"),
    (put("shipping_address.planet", "Mars"), "shipping_address.planet", "unknown_field"),
    (put("lines", ...), "lines", "required"),
    (put("lines", None), "lines", "null"),
    (put("lines", []), "lines", "min_length"),
    (put("lines", [LINE] * 1_001), "lines", "max_length"),
    (put("lines", "many"), "lines", "not_a_list"),
    (put("lines", LINE), "lines", "not_a_list"),
    (put("lines.0", 7), "lines[0]", "invalid"),
    (put("lines.0.quantity", ...), "lines[0].quantity", "required"),
    (put("lines.0.quantity", None), "lines[0].quantity", "null"),
    (put("lines.0.quantity", 0), "lines[0].quantity", "min_value"),
    (put("lines.0.quantity", -1), "lines[0].quantity", "min_value"),
    (put("lines.0.quantity", 1_000_001), "lines[0].quantity", "max_value"),
    (put("lines.0.quantity", 2**63), "lines[0].quantity", "max_value"),
    (put("lines.0.quantity", 10**30), "lines[0].quantity", "max_value"),
    (put("lines.0.quantity", 10**400), "lines[0].quantity", "max_value"),
    (put("lines.0.quantity", "2"), "lines[0].quantity", "invalid"),
    (put("lines.0.quantity", 1.5), "lines[0].quantity", "invalid"),
    (put("lines.0.quantity", True), "lines[0].quantity", "invalid"),
    (put("lines.0.product_id", 7), "lines[0].product_id", "invalid"),
    (put("lines.0.product_id", "7"), "lines[0].product_id", "invalid"),
    (put("lines.0.product_id", NO_ID), "lines[0].product_id", "unknown_product"),
    (put("payment", ...), "payment", "required"),
    (put("payment.card_token", ""), "payment.card_token", "blank"),
    (put("payment.card_token", "x" * 101), "payment.card_token", "max_length"),
    (put("payment.card_token", "tok\x00"), "payment.card_token", "nul"),
    (put("payment.card_token", 4242), "payment.card_token", "invalid"),
    (put("shipping_address", ...), "shipping_address", "required"),
    (put("address_id", NO_ID), "shipping_address", "required"),
    (put("shipping_address.name", "x" * 201), "shipping_address.name", "max_length"),
    (put("shipping_address.city", "Lon\x00don"), "shipping_address.city", "nul"),
    (put("shipping_address.country", "GBR"), "shipping_address.country", "max_length"),
]


@pytest.mark.parametrize(
    "change, field, code", BAD_ORDERS, ids=[change.__name__ for change, *_ in BAD_ORDERS]
)
def test_a_bad_order_is_refused(a_shop, nothing_written, change, field, code):
    body = a_shop.body()
    change(body)
    response = a_shop.client().post(ORDERS, body, headers=KEY)
    assert refused(response) == [(field, code)]


def test_a_country_that_is_none_is_named(a_shop, nothing_written):
    body = a_shop.body()
    body["shipping_address"]["country"] = "XX"
    fields = refused(a_shop.client().post(ORDERS, body, headers=KEY))
    assert [field for field, _ in fields] == ["shipping_address.country"]


def test_an_address_of_somebody_else_is_none(a_shop, nothing_written):
    body = a_shop.body()
    del body["shipping_address"]
    body["address_id"] = NO_ID
    response = a_shop.client().post(ORDERS, body, headers=KEY)
    assert refused(response) == [("address_id", "not_found")]


def _inactive(product):
    Product.objects.filter(pk=product.pk).update(active=False)


def _deleted(product):
    product.delete()


@pytest.mark.parametrize("end", [_inactive, _deleted])
def test_a_product_that_is_no_longer_sold_is_named(a_shop, end):
    end(Product.objects.get(public_id=a_shop.product_id))
    other = shop.product(5)
    before = row_counts()
    body = a_shop.body()
    body["lines"].insert(0, {"product_id": str(other), "quantity": 1})
    response = a_shop.client().post(ORDERS, body, headers=KEY)
    assert refused(response) == [("lines[1].product_id", "unknown_product")]
    assert row_counts() == before


def test_products_in_two_currencies_are_not_one_order(a_shop):
    other = shop.product(5, price=Money(Decimal("3.00"), "EUR"))
    before = row_counts()
    body = a_shop.body()
    body["lines"].append({"product_id": str(other), "quantity": 1})
    response = a_shop.client().post(ORDERS, body, headers=KEY)
    assert refused(response) == [("lines[1].product_id", "mixed_currency")]
    assert row_counts() == before


@pytest.mark.parametrize(
    "headers, code",
    [
        ({}, "required"),
        ({"Idempotency-Key": " "}, "required"),
        ({"Idempotency-Key": "x" * 256}, "max_length"),
        ({"Idempotency-Key": "schlüssel"}, "invalid"),
    ],
)
@pytest.mark.parametrize("path", [ORDERS, ORDERS + "/{order_id}/cancel"])
def test_a_command_without_a_good_key_is_refused(a_shop, nothing_written, path, headers, code):
    path = path.format(**a_shop.parameters)
    body = a_shop.body() if path == ORDERS else {}
    response = a_shop.client().post(path, body, headers=headers)
    assert refused(response) == [("Idempotency-Key", code)]


def test_a_key_used_with_another_order_is_refused(a_shop, nothing_written):
    body = a_shop.body()
    body["lines"][0]["quantity"] = 3
    response = a_shop.client().post(ORDERS, body, headers={"Idempotency-Key": "first"})
    refused(response, 422)
    assert response.json()["code"] == "idempotency_key_reused"


def test_the_same_order_again_is_the_same_order(a_shop, nothing_written):
    response = a_shop.client().post(ORDERS, a_shop.body(), headers={"Idempotency-Key": '"first"'})
    assert (response.status_code, response.json()["id"]) == (202, str(a_shop.order.pk))


@pytest.mark.parametrize(
    "body, field, code",
    [
        ({"colour": "red"}, "colour", "unknown_field"),
        ({"reason": 7}, "reason", "invalid"),
        ({"reason": "x" * 61}, "reason", "max_length"),
        ({"reason": "a\x00"}, "reason", "nul"),
        ({"version": "1"}, "version", "invalid"),
        ({"version": True}, "version", "invalid"),
        ({"version": 0}, "version", "min_value"),
        ({"version": 10**30}, "version", "max_value"),
    ],
)
def test_a_bad_cancellation_is_refused(a_shop, nothing_written, body, field, code):
    path = f"{ORDERS}/{a_shop.order.pk}/cancel"
    assert refused(a_shop.client().post(path, body, headers=KEY)) == [(field, code)]


def test_a_cancellation_of_another_version_is_refused(a_shop, nothing_written):
    path = f"{ORDERS}/{a_shop.order.pk}/cancel"
    response = a_shop.client().post(path, {"version": 7}, headers=KEY)
    refused(response, 409)
    assert response.json()["code"] == "version_conflict"


@pytest.mark.parametrize(
    "content, content_type, status, code",
    [
        (b"{", "application/json", 400, "malformed_json"),
        (b'{"a": "\xff"}', "application/json", 400, "malformed_json"),
        (b"[" * 100_000, "application/json", 400, "malformed_json"),
        (b'{"colour": 1, "colour": 2}', "application/json", 400, "invalid"),
        (b"[1]", "application/json", 400, "invalid"),
        (b'"text"', "application/json", 400, "invalid"),
        (b"colour=red", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"--x--", "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
        (b"colour: red", "application/yaml", 415, "unsupported_media_type"),
        (b" " * TEN_MEGABYTES, "application/json", 413, "body_too_large"),
    ],
)
# A feed is no object: its own tests say what becomes of these.
@pytest.mark.parametrize(
    "address, method", [one for one in WRITES if str(one[0]) != "api/v1/catalog/feed"], ids=str
)
def test_what_is_no_json_object_is_refused_everywhere(
    a_shop, nothing_written, address, method, content, content_type, status, code
):
    path = address.path(a_shop.parameters)
    response = a_shop.almighty().generic(method, path, content, content_type, headers=KEY)
    refused(response, status)
    assert response.json()["code"] == code


@pytest.mark.parametrize("address", all_addresses(), ids=str)
def test_a_wrong_method_is_refused_everywhere(a_shop, nothing_written, address):
    client = a_shop.almighty()
    for method in sorted(ALL_METHODS - address.methods):
        response = client.generic(method, address.path(a_shop.parameters), headers=KEY)
        refused(response, 405)
        assert set(response["Allow"].split(", ")) == address.methods


@pytest.mark.parametrize("address", all_addresses(), ids=str)
@pytest.mark.parametrize("query, field", [("colour=red", "colour"), ("a%00=1", "a\u2400")])
def test_an_unknown_parameter_is_named_everywhere(a_shop, nothing_written, address, query, field):
    if "GET" in address.methods:
        response = a_shop.almighty().get(f"{address.path(a_shop.parameters)}?{query}")
        assert [name for name, _ in refused(response)] == [field]


@pytest.mark.parametrize(
    "query, field",
    [
        ("products?search=" + "x" * 101, "search"),
        ("products?search=a%00b", "search"),
        ("products?in_stock=maybe", "in_stock"),
        ("products?ordering=colour", "ordering"),
        ("products?limit=0", "limit"),
        ("products?cursor=abc", "cursor"),
        ("catalog/search?limit=1", "q"),
        ("catalog/search?q=" + "x" * 101, "q"),
        ("catalog/search?q=a%00b", "q"),
        ("catalog/search?q=a&search=b", "search"),
        ("catalog/search?q=a&ordering=name", "ordering"),
        ("catalog/search?q=a&facets=no", "facets"),
        ("catalog/search?q=a&min_price=1e3", "min_price"),
        ("catalog/search?q=a&limit=101", "limit"),
        ("catalog/search?q=a&cursor=abc", "cursor"),
        ("catalog/suggestions?q=%20", "q"),
        ("catalog/suggestions?q=" + "x" * 101, "q"),
        ("catalog/suggestions?q=a%00b", "q"),
        ("catalog/suggestions?q=a&limit=1.0", "limit"),
        ("orders?limit=101", "limit"),
        ("orders?cursor=abc", "cursor"),
        ("orders?ordering=total", "ordering"),
    ],
)
def test_a_bad_parameter_is_named(a_shop, nothing_written, query, field):
    response = a_shop.client().get(f"/api/v1/{query}")
    assert [name for name, _ in refused(response)] == [field]


def needed(route: str) -> dict:
    """What a command at the address would need."""
    if route.endswith("/refuse"):
        return {"reason": "worn", "version": 1}
    if not route.endswith("/returns"):
        return {"version": 1}
    body = {"lines": [{"position": 1, "quantity": 1}], "reason": "broken"}
    return body | {"version": 1} if "/staff/" in route else body


@pytest.mark.parametrize("address", [a for a in all_addresses() if a.parameters], ids=str)
@pytest.mark.parametrize("value", [NO_ID, "7", "x" * 5_000, "%00", "..", "\N{SNOWMAN}"])
def test_an_unknown_id_is_not_found_everywhere(a_shop, nothing_written, address, value):
    path = address.path(dict.fromkeys(address.parameters, value))
    if "GET" in address.methods:
        response = a_shop.almighty().get(path)
    elif "POST" not in address.methods:
        response = a_shop.almighty().delete(path)
    else:  # what a command on a thing that is there would need
        response = a_shop.almighty().post(path, needed(address.route), headers=KEY)
    refused(response, 404)


def test_what_belongs_to_another_customer_is_not_found(a_shop):
    other = a_shop.client(User.objects.create_user(email="eve@example.com", name="Eve"))
    before = row_counts()
    for path in ("orders/{order_id}", "sagas/{saga_id}"):
        refused(other.get("/api/v1/" + path.format(**a_shop.parameters)), 404)
    refused(other.post(f"{ORDERS}/{a_shop.order.pk}/cancel", {}, headers=KEY), 404)
    assert other.get(ORDERS).json()["results"] == []
    assert row_counts() == before
