"""A feed: what each line does, and what readers see of it when."""

import pytest

from apps.catalog import facade, services
from apps.catalog.models import PriceChange, StockLedgerEntry
from apps.messaging.models import Outbox, StaffChange
from tests.integration.catalog import shop
from tests.integration.catalog.feed.sent import (
    RIGHTS,
    ends,
    flush,
    gbp,
    post,
    price,
    row,
    send,
    shown,
)
from tests.integration.catalog.people import staff

DATABASES = ["default", "catalog"]
pytestmark = pytest.mark.django_db(databases=DATABASES)


@pytest.mark.django_db(databases=DATABASES, transaction=True)
def test_a_price_is_seen_at_once_and_in_the_database_after_the_flush():
    product_id = shop.product(sku="CUP")
    assert shown(product_id)["price"] == gbp("4.20")
    answer = send({"sku": "CUP", "price": gbp("5.00")})
    assert ends(answer) == [(1, "accepted", [])]
    assert (answer["accepted"], answer["applied"], answer["error"]) == (1, 0, 0)
    assert shown(product_id)["price"] == gbp("5.00")
    assert price(product_id) == "4.20"
    assert flush() == 1
    assert price(product_id) == "5.00"
    after = shown(product_id)
    assert (after["price"], after["version"]) == (gbp("5.00"), 2)
    one = row(product_id)
    assert f"{one.feed_epoch}.{one.feed_counter}" == answer["version"]


def test_the_flush_keeps_the_old_price_and_tells_of_the_product():
    client = staff(*RIGHTS)
    product_id = shop.product(sku="CUP", category="Kitchen", attributes={"colour": "red"})
    answer = post(client, b'{"sku":"CUP","price":{"amount":"5","currency":"EUR"}}')
    flush()
    [_, change] = PriceChange.objects.order_by("id")
    assert (str(change.before), str(change.after), change.version) == ("£4.20", "€5.00", 2)
    assert change.actor.startswith("staff:")
    told = Outbox.objects.using("catalog").filter(topic="product.updated").get()
    assert told.headers == {"correlation_id": answer.headers["X-Request-ID"]}
    services.product_change(product_pk=row(product_id).pk, version=2, changes={"active": False})
    again = Outbox.objects.using("catalog").filter(topic="product.updated").latest("id")
    assert told.payload == again.payload | {"active": True}
    assert (told.aggregate, told.aggregate_version, told.schema_version) == (
        again.aggregate,
        2,
        again.schema_version,
    )


def test_attributes_are_laid_over_those_there_and_null_removes_one():
    product_id = shop.product(sku="CUP", attributes={"colour": "red", "size": [1], "old": True})
    send({"sku": "CUP", "attributes": {"colour": "blue", "old": None, "new": {"a": None}}})
    wanted = {"colour": "blue", "size": [1], "new": {"a": None}}
    assert shown(product_id)["attributes"] == wanted
    flush()
    assert row(product_id).attributes == wanted
    assert shown(product_id)["attributes"] == wanted


def test_lines_of_one_product_count_in_their_order():
    product_id = shop.product(sku="CUP", on_hand=3, attributes={"a": 1})
    answer = send(
        {"sku": "CUP", "price": gbp("5.00"), "attributes": {"a": 2, "b": 1}},
        {"id": str(product_id), "price": gbp("6.00"), "stock": {"delta": 4}},
        {"sku": "CUP", "attributes": {"a": None}, "stock": {"on_hand": 5}},
    )
    assert ends(answer) == [(1, "accepted", []), (2, "accepted", []), (3, "accepted", [])]
    assert flush() == 1
    one = row(product_id)
    assert (str(one.price.amount), one.attributes, one.version) == ("6.00", {"b": 1}, 2)
    assert shop.ledger(product_id) == [("received", 3, 0), ("adjusted", 4, 0), ("adjusted", -2, 0)]
    assert shop.levels(product_id) == (5, 0)


def test_what_changes_nothing_is_not_told():
    product_id = shop.product(sku="CUP", on_hand=3, attributes={"a": 1})
    line = {"sku": "CUP", "price": gbp("4.20"), "attributes": {"a": 1}, "stock": {"on_hand": 3}}
    send(line)
    before = Outbox.objects.using("catalog").count()
    assert flush() == 1
    one = row(product_id)
    assert (one.version, PriceChange.objects.count()) == (1, 1)
    assert Outbox.objects.using("catalog").count() == before
    assert shop.ledger(product_id) == [("received", 3, 0)]


def test_stock_is_counted_in_the_request_with_its_ledger_and_events():
    cup, mug, jug = (shop.product(3, sku=sku) for sku in ("CUP", "MUG", "JUG"))
    answer = send(
        {"sku": "CUP", "stock": {"on_hand": 0}},
        {"sku": "MUG", "stock": {"delta": 7}},
        {"id": str(jug), "stock": {"on_hand": 3}},
        key="night",
        status=200,
    )
    assert ends(answer) == [(1, "applied", []), (2, "applied", []), (3, "applied", [])]
    assert answer["version"] is None
    assert [shop.levels(one) for one in (cup, mug, jug)] == [(0, 0), (10, 0), (3, 0)]
    entries = StockLedgerEntry.objects.filter(kind="adjusted").order_by("id")
    assert [(one.delta_on_hand, one.reference, one.reason) for one in entries] == [
        (-3, "night", "feed"),
        (7, "night", "feed"),
    ]
    told = Outbox.objects.using("catalog").filter(topic__startswith="stock.").order_by("id")
    assert [(one.topic, one.aggregate) for one in told][-3:] == [
        ("stock.adjusted", f"stock:{cup}"),
        ("stock.depleted", f"stock:{cup}"),
        ("stock.adjusted", f"stock:{mug}"),
    ]
    notes = StaffChange.objects.using("catalog").filter(action="adjust_stock").order_by("id")
    assert [(one.before, one.after) for one in notes] == [
        ({"on_hand": 3}, {"on_hand": 0, "reason": "feed"}),
        ({"on_hand": 3}, {"on_hand": 10, "reason": "feed"}),
    ]


def test_a_count_below_what_is_promised_is_refused_with_all_of_its_line():
    cup = shop.product(5, sku="CUP")
    facade.reserve_stock([shop.reserve((cup, 4))])
    answer = send(
        {"sku": "CUP", "price": gbp("9.00"), "stock": {"on_hand": 3}},
        {"sku": "CUP", "stock": {"delta": -1}},
        {"sku": "CUP", "stock": {"delta": -1}},
        status=200,
    )
    assert ends(answer) == [
        (1, "error", [("stock", "below_reserved")]),
        (2, "applied", []),
        (3, "error", [("stock", "below_reserved")]),
    ]
    assert (flush(), price(cup), shop.levels(cup)) == (0, "4.20", (4, 4))


def test_a_repeat_gets_the_first_answer_and_counts_nothing_twice():
    client = staff(*RIGHTS)
    cup = shop.product(5, sku="CUP")
    lines = ({"sku": "CUP", "stock": {"delta": 2}}, {"sku": "NONE", "stock": {"delta": 2}})
    first = send(*lines, client=client, key="k", status=200)
    services.product_delete(product_pk=row(cup).pk)
    assert send(*lines, client=client, key="k", status=200) == first
    assert shop.levels(cup) == (7, 0)
    other = post(client, b'{"sku":"CUP","stock":{"delta":3}}', key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert StaffChange.objects.using("catalog").filter(subject="catalog.feed").count() == 1


def test_who_may_not_adjust_stock_may_still_send_prices():
    cup = shop.product(5, sku="CUP")
    answer = send(
        {"sku": "CUP", "price": gbp("9.00")},
        {"sku": "CUP", "price": gbp("8.00"), "stock": {"delta": 1}},
        client=staff("send_feed"),
    )
    assert ends(answer) == [(1, "accepted", []), (2, "error", [("stock", "permission_denied")])]
    flush()
    assert (price(cup), shop.levels(cup)) == ("9.00", (5, 0))


def test_a_json_array_is_as_good():
    shop.product(sku="CUP")
    body = b'[{"sku": "CUP", "price": {"amount": "5.00", "currency": "GBP"}}, {"sku": "X"}]'
    answer = post(staff(*RIGHTS), body, form="application/json; charset=utf-8")
    assert answer.status_code == 202
    assert ends(answer.json()) == [(1, "accepted", []), (2, "error", [("", "nothing_to_change")])]


def test_ten_thousand_lines_take_few_queries(django_assert_max_num_queries):
    shop.product(sku="CUP")
    client = staff(*RIGHTS)
    line = b'{"sku":"CUP","price":{"amount":"5.00","currency":"GBP"},"stock":{"delta":1}}'
    body = b"\n".join([line] * 10_000)
    with django_assert_max_num_queries(30):
        answer = post(client, body)
    assert answer.status_code == 202
    assert answer.json()["accepted"] == 10_000


def test_empty_lines_count_but_have_no_result():
    shop.product(sku="CUP")
    answer = send(b"", {"sku": "CUP", "price": gbp("5.00")}, b" \r", {"sku": "X"}, b"")
    assert ends(answer) == [(2, "accepted", []), (4, "error", [("", "nothing_to_change")])]
