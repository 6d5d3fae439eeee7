"""Orders are never made of what the cache says."""

import orjson
import pytest
from moneyed import Money

from apps.caching.keys import Key
from apps.catalog import facade
from apps.catalog.caching.names import PRODUCT
from apps.common.rest.headers import versioned_etag
from apps.orders.models import Order
from tests.integration.catalog.caching.conftest import LIST
from tests.trade import Trade, axes, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_an_order_costs_and_gets_what_the_database_says_though_the_cache_lies(cache, get, gateway):
    trade = Trade(stock=2)
    mug = trade.products["MUG"]
    answer = get(f"{LIST}/{mug}").json()
    poison(cache, mug, answer, "0.01", 1_000_000)
    assert get(f"{LIST}/{mug}").json()["price"]["amount"] == "0.01"  # the lie is believed here

    placed = trade.place(MUG=2)
    short = trade.place(MUG=3)
    poison(cache, mug, answer, "0.01", 1_000_000)  # stock was moved: it is gone by now
    drive_all()
    order = Order.objects.get(id=placed.order_id)
    assert str(order.lines.get().unit_price) == "9.50"
    assert axes(placed.order_id)[0] == "confirmed"
    assert axes(short.order_id)[0] == "cancelled"
    assert trade.levels()["MUG"] == (2, 2)

    poison(cache, mug, answer, "9999.00", 0)
    [offer] = facade.get_offers([mug])
    assert offer.unit_price == Money("9.50", "GBP")
    [level] = facade.stock_levels([mug])
    assert (level.on_hand, level.reserved) == (2, 2)


def poison(cache, product_id, answer: dict, price: str, pieces: int) -> None:
    """Has the cache say another price and stock, in every field."""
    lie = answer | {
        "price": {"amount": price, "currency": "GBP"},
        "availability": {"in_stock": pieces > 0, "quantity": pieces},
    }
    key = Key(PRODUCT, str(product_id)).value
    fields = cache.hgetall(key)
    json = orjson.dumps(lie)
    fields |= {
        b"json": json,
        b"price": orjson.dumps(lie["price"]),
        b"quantity": str(pieces).encode(),
        b"version": b"1",
        b"etag": versioned_etag(1, json).encode(),
    }
    cache.hset(key, mapping=fields)
