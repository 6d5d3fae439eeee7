"""Edits that wait meet direct writes and orders: what was accepted first is written first."""

from dataclasses import replace

import pytest
from django.db import transaction
from moneyed import Money

from apps.caching import write_behind
from apps.caching.write_behind import changes
from apps.catalog import facade, services
from apps.catalog.bulk import products_upsert
from apps.catalog.contracts import BulkItem, UpsertProducts
from apps.catalog.feed import draining
from apps.catalog.feed.buffer import PRODUCTS
from apps.catalog.models import PriceChange
from apps.common.errors import VersionConflict
from tests.integration.catalog import shop
from tests.integration.catalog.feed.sent import flush, gbp, price, row, send, shown
from tests.integration.catalog.people import staff
from tests.trade import Trade

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


def change(product_id, version: int, **changes):
    return services.product_change(product_pk=row(product_id).pk, version=version, changes=changes)


def history() -> list[tuple[str, int]]:
    return [(str(one.after.amount), one.version) for one in PriceChange.objects.order_by("id")]


def test_a_direct_change_comes_after_the_edits_that_waited():
    cup = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00"), "attributes": {"a": 1}})
    with pytest.raises(VersionConflict):
        change(cup, 1, price=Money("6.00", "GBP"))
    change(cup, 2, price=Money("6.00", "GBP"))
    assert flush() == 1  # the row has them already
    one = row(cup)
    assert (str(one.price.amount), one.attributes, one.version) == ("6.00", {"a": 1}, 3)
    assert history() == [("4.20", 1), ("5.00", 2), ("6.00", 3)]
    assert shown(cup)["price"] == gbp("6.00")


def test_an_edit_after_a_direct_change_comes_after_it():
    cup = shop.product(sku="CUP")
    change(cup, 1, price=Money("6.00", "GBP"))
    send({"sku": "CUP", "price": gbp("5.00")})
    assert shown(cup)["price"] == gbp("5.00")
    flush()
    assert history() == [("4.20", 1), ("6.00", 2), ("5.00", 3)]


def test_a_direct_change_that_is_rolled_back_loses_no_edit():
    cup = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    with pytest.raises(RuntimeError), transaction.atomic(using="catalog"):
        draining.drain_rows(skus=["CUP"])
        assert price(cup) == "5.00"
        raise RuntimeError
    assert price(cup) == "4.20"
    flush()
    assert price(cup) == "5.00"


def test_a_bulk_upsert_comes_after_the_edits_that_waited():
    cup = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    item = BulkItem("CUP", {}, Money("6.00", "GBP"))
    products_upsert(UpsertProducts("k", "staff:1", (item,)))
    flush()
    assert (price(cup), history()[-2:]) == ("6.00", [("5.00", 2), ("6.00", 3)])


def test_a_deleted_product_takes_no_edit():
    cup = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    services.product_delete(product_pk=row(cup).pk)
    assert price(cup) == "5.00"  # it was accepted before
    write_behind.put(PRODUCTS, [write_behind.Change(str(cup), {"price": b"9.00 GBP"})])
    assert (flush(), price(cup)) == (1, "5.00")


def test_an_offer_has_the_price_that_readers_were_shown():
    cup = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    seen = shown(cup)["price"]
    [offer] = facade.get_offers([cup])
    assert {"amount": str(offer.unit_price.amount), "currency": "GBP"} == seen == gbp("5.00")


@pytest.mark.django_db(databases="__all__")
def test_an_order_pays_the_price_that_readers_were_shown():
    trade = Trade(skus=("CUP",))
    send({"sku": "CUP", "price": gbp("7.30")})
    assert shown(trade.products["CUP"])["price"] == gbp("7.30")
    placed = trade.place(key="o", CUP=2)
    assert str(placed.total.amount) == "14.60"


def edited(cup, body: dict, status: int = 202, mode: str = "write-behind"):
    client = staff("change_product", "view_product")
    answer = client.patch(f"/api/v1/products/{cup}?mode={mode}", body)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_patch_may_be_written_behind():
    cup = shop.product(sku="CUP", attributes={"a": 1, "b": 2})
    answer = edited(cup, {"price": gbp("5.00"), "attributes": {"a": None, "c": [3]}})
    assert answer["result"] == "accepted"
    assert answer["product"]["price"] == gbp("5.00")
    assert answer["product"]["attributes"] == {"b": 2, "c": [3]}
    assert (price(cup), flush(), price(cup)) == ("4.20", 1, "5.00")
    one = row(cup)
    assert f"{one.feed_epoch}.{one.feed_counter}" == answer["version"]
    assert shown(cup)["attributes"] == {"b": 2, "c": [3]}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"name": "Mug", "price": gbp("5.00")}, [("name", "not_in_this_mode")]),
        (
            {"version": 1, "active": True},
            [("active", "not_in_this_mode"), ("version", "not_in_this_mode")],
        ),
        ({}, [("price", "required")]),
        ({"attributes": {}}, [("price", "required")]),
        ({"price": gbp("5.001")}, [("price.amount", "max_decimal_places")]),
        ({"price": gbp("-5.00")}, [("price.amount", "min_value")]),
        ({"price": gbp("10000000000.00")}, [("price", "range")]),
        ({"attributes": {"a": "x" * 70_000}}, [("attributes", "max_length")]),
        ({"colour": "red"}, [("colour", "unknown_field")]),
    ],
)
def test_what_cannot_be_written_behind_is_refused(body, wrong):
    cup = shop.product(sku="CUP")
    answer = edited(cup, body, 400)
    assert sorted((one["field"], one["code"]) for one in answer["errors"]) == wrong
    assert (flush(), price(cup)) == (0, "4.20")


def test_only_two_modes_are_known_and_the_product_must_live():
    cup = shop.product(sku="CUP")
    assert edited(cup, {"price": gbp("5.00")}, 400, "later")["errors"][0]["field"] == "mode"
    services.product_delete(product_pk=row(cup).pk)
    edited(cup, {"price": gbp("5.00")}, 404)
    assert flush() == 0


def test_above_the_limit_edits_are_written_at_once(monkeypatch):
    cup, mug = shop.product(sku="CUP"), shop.product(sku="MUG")
    monkeypatch.setattr(changes, "_put", _full(changes._put))
    answer = send(
        {"sku": "CUP", "price": gbp("5.00")}, {"sku": "MUG", "price": gbp("6.00")}, status=200
    )
    assert [one["result"] for one in answer["results"]] == ["applied", "applied"]
    assert (price(cup), price(mug), answer["version"]) == ("5.00", "6.00", None)
    assert edited(cup, {"price": gbp("7.00")})["result"] == "applied"
    assert price(cup) == "7.00"


def _full(put):
    return lambda buffer, chunk, by: put(replace(buffer, limit=0), chunk, by)
