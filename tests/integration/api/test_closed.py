"""Every address is closed unless it stands in this list."""

import pytest
from rest_framework.test import APIClient

from tests.integration.api.addresses import NEEDED, all_addresses

PUBLIC = {
    "api/v1/catalog/search",
    "api/v1/catalog/suggestions",
    "api/v1/catalog/trending",
    "api/v1/catalog/best-sellers",
    "api/v1/catalog/recently-viewed",
    "api/v1/products",
    "api/v1/products/<uuid:public_id>",
    "api/v1/products/<uuid:public_id>/related",
    "api/v1/categories",
    "api/v1/categories/<uuid:category_id>",
}

# A visitor fills a cart before logging in.
VISITORS = {
    "DELETE api/v1/cart": 204,
    "GET api/v1/cart": 200,
    "DELETE api/v1/cart/items/<uuid:product_id>": 404,
    "PATCH api/v1/cart/items/<uuid:product_id>": 200,
    "PUT api/v1/cart/items/<uuid:product_id>": 400,
}

pytestmark = pytest.mark.django_db(databases=["default", "catalog", "orders", "reporting"])


def test_the_addresses_are_found():
    routes = {address.route for address in all_addresses()}
    assert routes > PUBLIC
    assert "api/v1/orders/<uuid:order_id>/cancel" in routes


@pytest.mark.parametrize("address", all_addresses(), ids=str)
def test_strangers_are_asked_to_log_in(a_shop, nothing_written, address):
    path = address.path(a_shop.parameters) + NEEDED.get(address.route, "")
    for method in sorted(address.methods - {"OPTIONS", "HEAD"}):
        response = APIClient().generic(
            method, path, b"{}", "application/json", headers={"Idempotency-Key": "k"}
        )
        if address.route in PUBLIC and method == "GET":
            assert response.status_code == 200
        elif expected := VISITORS.get(f"{method} {address.route}"):
            assert response.status_code == expected
        else:
            assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
            assert response["WWW-Authenticate"]
