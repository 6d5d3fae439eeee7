"""A small homeware shop, so that a fresh installation has something to sell."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from django.db import transaction
from moneyed import Money

from apps.catalog import facade
from apps.catalog.contracts import ImportProduct, ReceiveStock
from apps.catalog.enums import DATABASE
from apps.common.databases import fetch_one

SAMPLE = Path(__file__).with_name("sample_shop.json")
REFERENCE = "sample shop"


def load() -> int:
    """Loads the sample if there has never been a product; returns how many products it made.

    All or nothing, and only once when several processes try at the same time.
    """
    sample = orjson.loads(SAMPLE.read_bytes())
    products: list[dict[str, Any]] = sample["products"]
    with transaction.atomic(using=DATABASE):
        fetch_one(DATABASE, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [REFERENCE])
        if not facade.catalogue_is_empty():
            return 0
        ids = facade.import_products([_product(one, sample["currency"]) for one in products])
        facade.receive_stock(
            [ReceiveStock(REFERENCE, ids[one["sku"]], one["pieces"]) for one in products]
        )
    return len(products)


def _product(one: dict[str, Any], currency: str) -> ImportProduct:
    return ImportProduct(
        sku=one["sku"],
        name=one["name"],
        price=Money(Decimal(one["price"]), currency),
        category=one["category"],
        description=one["description"],
        attributes=one["attributes"],
    )
