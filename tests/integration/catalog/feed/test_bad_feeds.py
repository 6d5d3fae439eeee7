"""What is wrong with a line is said of that line; what is wrong as a whole stops all of it."""

import pytest
from django.conf import settings
from django.test import RequestFactory

from apps.catalog import services
from apps.common.rest.middleware import ApiGuard
from tests.integration.catalog import shop
from tests.integration.catalog.feed.sent import (
    FEED,
    NDJSON,
    RIGHTS,
    ends,
    flush,
    gbp,
    ndjson,
    post,
    price,
    row,
    send,
)
from tests.integration.catalog.people import customer, staff

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
GOOD = {"sku": "CUP", "price": gbp("5.00")}
UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"


def priced(value) -> dict:
    return {"sku": "CUP", "price": value}


def stocked(**value) -> dict:
    return {"sku": "CUP", "stock": value}


BAD = [
    (b"{", "", "malformed_json"),
    (b"nonsense", "", "malformed_json"),
    (b'{"sku":"CUP","price":{"amount":"5.00","currency":"GBP"}}}', "", "malformed_json"),
    (b'{"sku":"\xff","stock":{"delta":1}}', "", "malformed_json"),
    (b'{"sku":"\\ud800","stock":{"delta":1}}', "", "malformed_json"),
    (b'{"sku":"CUP","attributes":{"a":1e999}}', "attributes[...]", "invalid"),
    (b'{"sku":"CUP","attributes":{"a":123456789012345678901}}', "attributes", "invalid"),
    (b'{"sku":"CUP","attributes":{"a":"\\u0000"}}', "", "nul"),
    (b'{"sku":"CUP","sku":"CUP","stock":{"delta":1}}', "sku", "duplicate_field"),
    (b'{"sku":"CUP","attributes":{"a":1,"a":2}}', "a", "duplicate_field"),
    (b'{"sku":"CUP","attributes":{"a":{"b":1,"b":2}}}', "b", "duplicate_field"),
    (b'{"sku":"CUP","\\u0000":1}', "\ufffd", "unknown_field"),
    (b'{"sku":"CUP","attributes":{"a":' + b"[" * 40 + b"]" * 40 + b"}}", "", "too_deep"),
    (
        b'{"sku":"CUP","attributes":{"a":' + b"[" * 9_000 + b"]" * 9_000 + b"}}",
        "",
        "malformed_json",
    ),
    (b"[]", "", "invalid"),
    (b"3", "", "invalid"),
    (b"null", "", "invalid"),
    ({}, "sku", "required"),
    ({"price": gbp("5.00")}, "sku", "required"),
    ({"sku": "CUP", "id": UNKNOWN, "price": gbp("5.00")}, "sku", "required"),
    ({"sku": "CUP"}, "", "nothing_to_change"),
    ({"sku": "CUP", "attributes": {}}, "", "nothing_to_change"),
    ({"sku": "NONE", "price": gbp("5.00")}, "sku", "does_not_exist"),
    ({"sku": "", "price": gbp("5.00")}, "sku", "does_not_exist"),
    ({"sku": "X" * 65, "price": gbp("5.00")}, "sku", "does_not_exist"),
    ({"sku": "GONE", "price": gbp("5.00")}, "sku", "does_not_exist"),
    ({"id": UNKNOWN, "price": gbp("5.00")}, "id", "does_not_exist"),
    ({"id": "no-id", "price": gbp("5.00")}, "id", "invalid"),
    ({"sku": 7, "price": gbp("5.00")}, "sku", "invalid"),
    ({"sku": None, "price": gbp("5.00")}, "sku", "invalid"),
    ({"sku": "CUP", "name": "Mug"}, "name", "unknown_field"),
    (priced(None), "price", "invalid"),
    (priced("5.00"), "price", "invalid"),
    (priced({"amount": "5.00"}), "price.currency", "required"),
    (priced({"currency": "GBP"}), "price.amount", "required"),
    (priced({"amount": 5, "currency": "GBP"}), "price.amount", "invalid"),
    (priced({"amount": "5.00", "currency": "GBP", "tax": 1}), "price.tax", "unknown_field"),
    (priced(gbp("-0.01")), "price.amount", "min_value"),
    (priced(gbp("5.001")), "price.amount", "max_decimal_places"),
    (priced(gbp("5e2")), "price.amount", "invalid"),
    (priced(gbp("NaN")), "price.amount", "invalid"),
    (priced(gbp("")), "price.amount", "invalid"),
    (priced(gbp("٥.00")), "price.amount", "invalid"),
    (priced(gbp("10000000000.00")), "price.amount", "max_value"),
    (priced({"amount": "5.00", "currency": "JPY"}), "price.currency", "invalid_choice"),
    (priced({"amount": "5.00", "currency": "gbp"}), "price.currency", "invalid_choice"),
    ({"sku": "CUP", "attributes": [1]}, "attributes", "invalid"),
    ({"sku": "CUP", "attributes": None}, "attributes", "invalid"),
    ({"sku": "CUP", "attributes": {f"a{n}": 1 for n in range(501)}}, "attributes", "max_length"),
    ({"sku": "CUP", "attributes": {"a": "x" * 65_600}}, "", "line_too_long"),
    ({"sku": "FULL", "attributes": {"a": "x" * 65_000}}, "attributes", "max_length"),
    (stocked(), "stock", "invalid"),
    (stocked(on_hand=1, delta=1), "stock", "invalid"),
    (stocked(on_hand=None), "stock.on_hand", "invalid"),
    (stocked(on_hand=-1), "stock.on_hand", "min_value"),
    (stocked(on_hand=1.5), "stock.on_hand", "invalid"),
    (stocked(on_hand=True), "stock.on_hand", "invalid"),
    (stocked(on_hand="3"), "stock.on_hand", "invalid"),
    (stocked(on_hand=1_000_000_001), "stock.on_hand", "max_value"),
    (stocked(delta=-1_000_000_001), "stock.delta", "min_value"),
    (stocked(delta=-6), "stock", "below_reserved"),
    (b'{"sku":"CUP","stock":{"delta":99999999999999999999999}}', "stock.delta", "max_value"),
]


@pytest.fixture
def goods():
    goods = {sku: shop.product(5, sku=sku) for sku in ("CUP", "MUG", "GONE")}
    goods["FULL"] = shop.product(sku="FULL", attributes={"full": "y" * 1_000})

    services.product_delete(product_pk=row(goods["GONE"]).pk)
    return goods


def test_each_bad_line_is_refused_by_itself_and_nothing_of_it_is_done(goods):
    good = {"sku": "MUG", "price": gbp("6.00")}
    answer = send(*[line for line, _, _ in BAD], good)
    said = [one[2] for one in ends(answer)[:-1]]
    assert said == [[(name, code)] for _, name, code in BAD]
    assert ends(answer)[-1] == (len(BAD) + 1, "accepted", [])
    assert flush() == 1
    assert [price(goods[sku]) for sku in ("CUP", "MUG", "GONE", "FULL")] == [
        "4.20",
        "6.00",
        "4.20",
        "4.20",
    ]
    assert shop.levels(goods["CUP"]) == (5, 0)


@pytest.mark.parametrize(
    ("body", "form", "status", "code"),
    [
        (b"", NDJSON, 400, "empty"),
        (b"\n \n", NDJSON, 400, "empty"),
        (b"\n" * 20_001, NDJSON, 400, "too_many_lines"),
        (ndjson(*[GOOD] * 10_001), NDJSON, 400, "too_many_lines"),
        (b"[]", "application/json", 400, "empty"),
        (
            b"[" + b",".join([ndjson(GOOD)] * 10_001) + b"]",
            "application/json",
            400,
            "too_many_lines",
        ),
        (ndjson(GOOD), "application/json", 400, "malformed_json"),
        (b"[" + ndjson(GOOD), "application/json", 400, "malformed_json"),
        (b'{"lines": []}', "application/json", 400, "malformed_json"),
        (ndjson(GOOD), "text/csv", 415, "unsupported_media_type"),
        (ndjson(GOOD), f"{NDJSON}; charset=latin-1", 415, "unsupported_media_type"),
        (ndjson(GOOD), "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    ],
)
def test_what_is_no_feed_is_refused_as_a_whole(goods, body, form, status, code):
    answer = post(staff(*RIGHTS), body, form=form)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (flush(), price(goods["CUP"])) == (0, "4.20")


def test_a_feed_needs_a_key(goods):
    answer = staff(*RIGHTS).generic("POST", FEED, ndjson(GOOD), content_type=NDJSON)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"


def test_only_staff_with_the_permission_may_send_one(goods):
    for client, status in ((customer("send_feed"), 403), (staff("change_product"), 403)):
        assert post(client, ndjson(GOOD)).status_code == status
    assert (flush(), price(goods["CUP"])) == (0, "4.20")


class Endless:
    def read(self, *size):
        raise AssertionError("nobody may read it")


def test_a_body_of_a_gigabyte_is_refused_unread():
    request = RequestFactory().post(FEED, content_type=NDJSON)
    request.META["CONTENT_LENGTH"] = str(2**30)
    request._stream = Endless()
    answer = ApiGuard(lambda request: pytest.fail("it came through"))(request)
    assert answer.status_code == 413
    assert str(settings.FEED_MAX_BODY_BYTES) in answer.content.decode()


def test_a_feed_may_be_larger_than_other_bodies(goods):
    body = ndjson(GOOD, *[b" " * 60_000] * 20)
    assert len(body) > settings.API_MAX_BODY_BYTES
    assert post(staff(*RIGHTS), body).status_code == 202
    answer = post(staff(*RIGHTS), b" " * (settings.FEED_MAX_BODY_BYTES + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
