"""Edits of one product that came at different times, with a direct change in between."""

import pytest
from moneyed import Money

from apps.catalog import services
from tests.integration.catalog import shop
from tests.integration.catalog.feed.sent import flush, gbp, price, row, send, shown

pytestmark = pytest.mark.django_db(databases=["default", "catalog"], transaction=True)


def test_a_drained_price_is_not_written_again_over_a_direct_one_with_a_later_attribute():
    """The direct change drains the price first; it is still in Redis when the attribute comes."""
    product_id = shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    changes = {"price": Money("6.00", "GBP")}
    services.product_change(product_pk=row(product_id).pk, version=2, changes=changes)
    send({"sku": "CUP", "attributes": {"colour": "red"}})
    seen = shown(product_id)
    assert (seen["price"], seen["attributes"]) == (gbp("6.00"), {"colour": "red"})
    flush()
    assert price(product_id) == "6.00"
    assert row(product_id).attributes == {"colour": "red"}
