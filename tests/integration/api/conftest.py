from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
from django.db import connections
from rest_framework.test import APIClient

from apps.catalog.models import Category
from apps.common.ids import new_id
from apps.customers import addresses
from apps.customers.contracts import Address
from apps.customers.models import User
from apps.orders.models import Order, OrderReturn
from apps.reporting.models import OrderView
from tests.integration.catalog import shop

ADDRESS = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "city": "London",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
}


@dataclass
class Shop:
    """A customer with an order of which a return is asked for, and a product with stock in a
    category."""

    user: User
    product_id: UUID
    category_id: UUID
    order: Order
    address_id: UUID
    return_id: UUID

    @property
    def parameters(self) -> dict[str, Any]:
        """What may stand in the addresses of the API."""
        return {
            "public_id": self.product_id,
            "product_id": self.product_id,
            "order_id": self.order.pk,
            "return_id": self.return_id,
            "saga_id": self.order.saga_id,
            "category_id": self.category_id,
            "address_id": self.address_id,
        }

    def body(self) -> dict[str, Any]:
        """An order that would be accepted."""
        return {
            "lines": [{"product_id": str(self.product_id), "quantity": 2}],
            "payment": {"card_token": "tok_approve"},
            "shipping_address": dict(ADDRESS),
        }

    def client(self, user: User | None = None) -> APIClient:
        """A client of the customer (or of ``user``); what breaks is answered, not raised."""
        client = APIClient(raise_request_exception=False)
        client.force_authenticate(user or self.user)
        return client

    def almighty(self) -> APIClient:
        """The customer with every right of the staff too: nothing is refused for want of one."""
        User.objects.filter(pk=self.user.pk).update(is_staff=True, is_superuser=True)
        return self.client(User.objects.get(pk=self.user.pk))


@pytest.fixture
def a_shop(db) -> Shop:
    user = User.objects.create_user(email="ada@example.com", name="Ada")
    home = addresses.address_create(user_id=user.pk, address=Address(**ADDRESS))
    product_id = shop.product(100, category="Tea")
    category_id = Category.objects.get().public_id
    a_shop = Shop(user, product_id, category_id, Order(), home.public_id, new_id())
    placed = a_shop.client().post(
        "/api/v1/orders", a_shop.body(), headers={"Idempotency-Key": "first"}
    )
    assert placed.status_code == 202, placed.content
    a_shop.order = Order.objects.get(pk=placed.json()["id"])
    OrderView.objects.create(
        order_id=a_shop.order.pk,
        customer_id=user.public_id,
        currency="GBP",
        placed_at=a_shop.order.placed_at,
        updated_at=a_shop.order.placed_at,
        order_version=1,
    )
    OrderReturn.objects.create(
        id=a_shop.return_id,
        order=a_shop.order,
        status="requested",
        reason="too small",
        goods_total="4.20",
        amount="4.20",
        asked_by=f"customer:{user.public_id}",
    )
    return a_shop


def row_counts() -> dict[str, int]:
    """How many rows every table of every database has."""
    counts = {}
    for connection in connections.all():
        tables = connection.introspection.table_names()
        each = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM \"{name}\"" for name in tables)
        with connection.cursor() as cursor:
            cursor.execute(each)
            counts |= {f"{connection.alias}.{name}": count for name, count in cursor.fetchall()}
    return counts


@pytest.fixture
def nothing_written(a_shop):
    """Fails the test if any table of any database has more or fewer rows after it."""
    before = row_counts()
    yield
    assert row_counts() == before
