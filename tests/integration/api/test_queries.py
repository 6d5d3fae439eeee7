"""Every list and every thing of the API is answered in a number of queries that does not grow."""

import pytest
from django.conf import settings
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.customers import addresses as address_book
from apps.customers.contracts import Address
from tests.integration.api.addresses import NEEDED, all_addresses
from tests.integration.api.conftest import ADDRESS
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))
READS = [address for address in all_addresses() if "GET" in address.methods]
MOST = 12


def fill(a_shop, count: int) -> None:
    """More of everything that the owner may see."""
    for _ in range(count):
        product_id = shop.product(10, category=f"Shelf {count}")
        address_book.address_create(user_id=a_shop.user.pk, address=Address(**ADDRESS))
        lines = [{"product_id": str(one), "quantity": 1} for one in {product_id, a_shop.product_id}]
        placed = a_shop.client().post(
            "/api/v1/orders",
            a_shop.body() | {"lines": lines},
            headers={"Idempotency-Key": str(product_id)},
        )
        assert placed.status_code == 202, placed.content


def queries_of(client, path: str) -> int:
    captures = [CaptureQueriesContext(connections[alias]) for alias in settings.DATABASES]
    for capture in captures:
        capture.__enter__()
    response = client.get(path)
    for capture in captures:
        capture.__exit__(None, None, None)
    assert response.status_code == 200, (path, response.content)
    return sum(len(capture) for capture in captures)


def test_answers_take_a_constant_number_of_queries(a_shop):
    client, counts = a_shop.almighty(), []
    for count in (1, 19):
        fill(a_shop, count)
        paths = {str(one): one.path(a_shop.parameters) + NEEDED.get(one.route, "") for one in READS}
        for path in paths.values():  # content types and permissions are read once
            queries_of(client, path)
        counts.append({route: queries_of(client, path) for route, path in paths.items()})

    assert counts[0] == counts[1]
    assert {route: count for route, count in counts[0].items() if count > MOST} == {}
