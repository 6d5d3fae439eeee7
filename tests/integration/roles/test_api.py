"""What each role may do over HTTP."""

from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from apps.catalog import services
from apps.catalog.models import Product
from tests.integration.catalog import shop
from tests.trade import Trade, drive_all

pytestmark = pytest.mark.django_db(databases="__all__")
READ, SUPPORT, CATALOGUE = "Read-only", "Support", "Catalogue"
WAREHOUSE, FINANCE, MANAGER = "Warehouse", "Finance", "Manager"
ROLES = (READ, SUPPORT, CATALOGUE, WAREHOUSE, FINANCE, MANAGER)
NEW = {
    "sku": "NEW",
    "name": "New",
    "price": {"amount": "1.00", "currency": "GBP"},
}
REFUSED = 403


@pytest.fixture
def api(member):
    def login(role: str) -> APIClient:
        client = APIClient()
        client.force_authenticate(member(role))
        return client

    return login


@pytest.mark.parametrize("role", ROLES)
def test_goods(api, role):
    client, product_id = api(role), shop.product(5)
    base = f"/api/v1/products/{product_id}"
    keeps, counts = role in (CATALOGUE, MANAGER), role in (WAREHOUSE, MANAGER)
    reads = {
        f"{base}/prices": True,
        f"{base}/stock": True,
        f"{base}/stock-ledger": role in (READ, WAREHOUSE, FINANCE, MANAGER),
    }
    assert {path: client.get(path).status_code for path in reads} == {
        path: 200 if may else REFUSED for path, may in reads.items()
    }
    key = {"Idempotency-Key": str(uuid4())}
    adjusted = client.post(
        f"{base}/stock-adjustments", {"delta": 1, "reason": "found"}, headers=key
    )
    assert (adjusted.status_code != REFUSED) is counts, adjusted.content
    assert shop.levels(product_id) == ((6, 0) if counts else (5, 0))
    created = client.post("/api/v1/products", NEW, headers={"Idempotency-Key": str(uuid4())})
    assert (created.status_code == 201) is keeps, created.content
    assert Product.objects.filter(sku="NEW").exists() is keeps


@pytest.mark.parametrize("role", ROLES)
def test_products_come_back_and_go_for_good(api, role):
    client, product_id = api(role), shop.product()
    pk = Product.objects.get(public_id=product_id).pk
    services.product_delete(product_pk=pk)
    purged = client.post(f"/api/v1/products/{product_id}/purge")
    assert (purged.status_code == REFUSED) is (role != MANAGER), purged.content
    if role == MANAGER:
        return
    restored = client.post(f"/api/v1/products/{product_id}/restore")
    assert (restored.status_code == REFUSED) is (role != CATALOGUE), restored.content
    assert Product.objects.filter(pk=pk).exists() is (role == CATALOGUE)


@pytest.mark.parametrize("role", ROLES)
def test_orders(api, role, gateway):
    order_id = Trade().place(MUG=1).order_id
    drive_all()
    client, base = api(role), "/api/v1/staff/orders"
    sees, moves = role != CATALOGUE, role in (SUPPORT, WAREHOUSE, MANAGER)
    for path in (base, f"{base}/{order_id}"):
        assert client.get(path).status_code == (200 if sees else REFUSED)
    approved = client.post(f"{base}/{order_id}/approve", {"version": 1})
    assert (approved.status_code != REFUSED) is (role in (FINANCE, MANAGER)), approved.content
    shipped = client.post(f"{base}/{order_id}/ship", {"version": 1})
    assert (shipped.status_code != REFUSED) is moves, shipped.content
