"""Who may do what to the catalogue: every write and every page for staff, tried by everybody."""

from dataclasses import dataclass
from typing import Any

import pytest

from apps.catalog import categories, services
from apps.catalog.models import Category, PriceChange, Product, StockLedgerEntry
from apps.messaging.models import StaffChange
from tests.integration.api.addresses import all_addresses
from tests.integration.catalog import shop
from tests.integration.catalog.people import client_of, customer, staff

pytestmark = pytest.mark.django_db(databases=["default", "catalog", "orders"])
CUP = {"sku": "NEW", "name": "New", "price": {"amount": "1.00", "currency": "GBP"}}
PRODUCT, CATEGORY = "api/v1/products/<uuid:public_id>", "api/v1/categories/<uuid:category_id>"


@dataclass(frozen=True)
class Door:
    """An operation, the permissions it needs, and what it answers to somebody who has them."""

    method: str
    route: str
    rights: tuple[str, ...]
    status: int = 200
    body: Any = None
    deleted: bool = False  # the product or category has to be deleted before

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


DOORS = [
    Door("POST", "api/v1/products", ("add_product",), 201, CUP),
    Door("POST", "api/v1/products/bulk", ("add_product", "change_product"), 200, {"items": [CUP]}),
    Door("POST", "api/v1/catalog/feed", ("send_feed",), 200, [{"sku": "NONE"}]),
    Door("PATCH", PRODUCT, ("change_product",), 200, {"name": "New", "version": 1}),
    Door("DELETE", PRODUCT, ("delete_product",), 204),
    Door("POST", f"{PRODUCT}/restore", ("restore_product",), deleted=True),
    Door("POST", f"{PRODUCT}/purge", ("purge_product",), 204, deleted=True),
    Door("DELETE", f"{PRODUCT}/cache", ("change_product",), 204),
    Door("GET", f"{PRODUCT}/insights", ("view_product",)),
    Door("GET", f"{PRODUCT}/prices", ("view_pricechange",)),
    Door("GET", f"{PRODUCT}/stock", ("view_stockitem",)),
    Door("GET", f"{PRODUCT}/stock-ledger", ("view_stockledgerentry",)),
    Door(
        "POST",
        f"{PRODUCT}/stock-adjustments",
        ("adjust_stock",),
        200,
        {"delta": 1, "reason": "Found"},
    ),
    Door("POST", "api/v1/categories", ("add_category",), 201, {"name": "New"}),
    Door("PATCH", CATEGORY, ("change_category",), 200, {"name": "New", "version": 1}),
    Door("DELETE", CATEGORY, ("delete_category",), 204),
    Door("POST", f"{CATEGORY}/restore", ("restore_category",), deleted=True),
    Door("POST", f"{CATEGORY}/purge", ("purge_category",), 204, deleted=True),
]
EVERY_RIGHT = {right for door in DOORS for right in door.rights}


def test_no_door_is_left_out():
    """Everything of the catalogue but its five public reads stands above."""
    there = {
        (method, one.route)
        for one in all_addresses()
        for method in one.methods - {"HEAD", "OPTIONS"}
        if one.route.startswith(("api/v1/products", "api/v1/categories", "api/v1/catalog/feed"))
    }
    open_to_all = ("api/v1/products", "api/v1/categories", PRODUCT, CATEGORY, f"{PRODUCT}/related")
    public = {("GET", route) for route in open_to_all}
    assert there - public == {(door.method, door.route) for door in DOORS}


@pytest.fixture
def knock():
    """Tries a door on a product and a category of its own; the status."""
    public_id = shop.product()
    shelf = categories.category_create(name="Shelf")

    def go(door: Door, client) -> int:
        if door.deleted:
            services.product_delete(product_pk=Product.all_objects.get(public_id=public_id).pk)
            categories.category_delete(category_id=shelf.pk)
        path = f"/{door.route}".replace("<uuid:public_id>", str(public_id))
        path = path.replace("<uuid:category_id>", str(shelf.public_id))
        send = getattr(client, door.method.lower())
        return send(path, door.body, headers={"Idempotency-Key": "k"}).status_code

    return go


def books() -> list:
    """All that a door could change."""
    return [
        list(rows.order_by("pk").values())
        for rows in (
            Product.all_objects,
            Category.all_objects,
            PriceChange.objects,
            StockLedgerEntry.objects,
            StaffChange.objects.using("catalog"),
        )
    ]


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_the_right_permissions_open(knock, door):
    assert knock(door, staff(*door.rights)) == door.status


@pytest.mark.parametrize("who", ["stranger", "customer", "staff"])
@pytest.mark.parametrize("door", DOORS, ids=str)
def test_others_are_refused_and_nothing_changes(knock, door, who):
    others = EVERY_RIGHT - set(door.rights)
    client = {
        "stranger": lambda: client_of(None),
        "customer": lambda: customer(*door.rights),
        "staff": lambda: staff(*others),
    }[who]()
    if door.deleted:  # what comes before the door is no part of what may not change
        knock(Door("GET", PRODUCT, (), deleted=True), client)
        door = Door(door.method, door.route, door.rights, body=door.body)
    before = books()
    assert knock(door, client) == (401 if who == "stranger" else 403)
    assert books() == before
