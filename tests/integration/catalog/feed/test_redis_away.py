"""The durable Redis is away: slower, never wrong, never an error; nothing newer is overwritten."""

import pytest
from moneyed import Money

from apps.caching import write_behind
from apps.caching.write_behind import changes
from apps.catalog import facade, services
from apps.catalog.feed import flushing
from apps.catalog.feed.buffer import PRODUCTS
from apps.catalog.feed.sql import Outcome
from tests.integration.caching.write_behind.own_redis import own_redis  # noqa: F401
from tests.integration.catalog import shop
from tests.integration.catalog.feed.sent import ends, flush, gbp, price, row, send, shown

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


@pytest.fixture
def durable(own_redis, monkeypatch):  # noqa: F811
    monkeypatch.setattr(changes, "_suspect", set())
    return own_redis


def test_a_feed_is_written_at_once(durable):
    cup = shop.product(3, sku="CUP", attributes={"a": 1})
    durable.kill()
    answer = send(
        {"sku": "CUP", "price": gbp("5.00"), "attributes": {"a": None}, "stock": {"delta": 1}},
        {"sku": "NONE", "price": gbp("5.00")},
        status=200,
    )
    assert ends(answer) == [(1, "applied", []), (2, "error", [("sku", "does_not_exist")])]
    assert (price(cup), row(cup).attributes, shop.levels(cup)) == ("5.00", {}, (4, 0))
    assert shown(cup)["price"] == gbp("5.00")
    [offer] = facade.get_offers([cup])
    assert str(offer.unit_price.amount) == "5.00"


def test_an_edit_from_before_the_silence_is_not_written_over_a_direct_change(durable):
    cup, mug = shop.product(sku="CUP"), shop.product(sku="MUG")
    send({"sku": "CUP", "price": gbp("5.00")}, {"sku": "MUG", "price": gbp("6.00")})
    durable.pause()
    for one, changed in ((cup, {"price": Money("7.00", "GBP")}), (mug, {"name": "Large mug"})):
        services.product_change(product_pk=row(one).pk, version=1, changes=changed)
    durable.resume()
    assert shown(cup)["price"] == gbp("7.00")
    assert flush() == 2
    assert (price(cup), price(mug)) == ("7.00", "6.00")
    [letter] = write_behind.dead_letters(PRODUCTS)
    assert (letter.key, letter.fields["price"]) == (str(cup), b"5.00 GBP")
    assert letter.reason == flushing.REASONS[Outcome.OUTDATED]


def test_what_comes_after_the_silence_counts_in_every_process(durable):
    cup = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    durable.pause()
    send({"sku": "CUP", "price": gbp("6.00")}, status=200)
    durable.resume()
    changes._suspect.clear()  # another process, which has not noticed anything
    assert shown(cup)["price"] == gbp("6.00")
    send({"sku": "CUP", "price": gbp("7.00")})
    assert shown(cup)["price"] == gbp("7.00")
    flush()
    assert price(cup) == "7.00"


def test_an_edit_that_redis_took_without_saying_so_does_no_harm(durable):
    cup = shop.product(sku="CUP")
    write_behind.put(PRODUCTS, [write_behind.Change(str(cup), {"price": b"5.00 GBP"})])
    durable.pause()
    send({"sku": "CUP", "price": gbp("5.00")}, status=200)
    durable.resume()
    assert flush() == 1
    assert (price(cup), row(cup).version, write_behind.dead_letters(PRODUCTS)) == ("5.00", 2, [])


def test_redis_going_away_between_two_epochs_is_no_error(durable, monkeypatch):
    cup = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    durable.pause()
    send({"sku": "CUP", "price": gbp("6.00")}, status=200)
    durable.resume()
    changes._suspect.clear()

    def away(buffer) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(write_behind, "renew", away)
    answer = send({"sku": "CUP", "price": gbp("7.00")}, status=200)
    assert (ends(answer), price(cup)) == ([(1, "applied", [])], "7.00")
    flush()
    assert (price(cup), write_behind.dead_letters(PRODUCTS)) == ("7.00", [])
