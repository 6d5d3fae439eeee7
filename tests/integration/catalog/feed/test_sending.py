"""A feed: what each line does, and what readers see of it when."""

import pytest

from apps.catalog.models import PriceChange
from tests.integration.catalog import shop
from tests.integration.catalog.feed.sent import ends, flush, gbp, price, row, send, shown

pytestmark = pytest.mark.django_db(databases=["default", "catalog"], transaction=True)


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
    assert shown(product_id)["price"] == gbp("5.00")
    one = row(product_id)
    assert f"{one.feed_epoch}.{one.feed_counter}" == answer["version"]
    [_, second] = PriceChange.objects.filter(product=one).order_by("id")
    assert (str(second.before.amount), str(second.after.amount), second.version) == (
        "4.20",
        "5.00",
        2,
    )
    assert second.actor.startswith("staff:")


def test_attributes_are_laid_over_those_there_and_null_removes_one():
    product_id = shop.product(sku="CUP", attributes={"colour": "red", "size": [1], "old": True})
    send({"sku": "CUP", "attributes": {"colour": "blue", "old": None, "new": {"a": None}}})
    wanted = {"colour": "blue", "size": [1], "new": {"a": None}}
    assert shown(product_id)["attributes"] == wanted
    flush()
    assert row(product_id).attributes == wanted
    assert shown(product_id)["attributes"] == wanted
