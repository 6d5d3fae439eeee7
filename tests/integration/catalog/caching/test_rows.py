"""The statement that is composed once reads what the ORM reads."""

from uuid import uuid4

import pytest
from django.db import connections

from apps.catalog import selectors, services
from apps.catalog.caching import rows
from apps.catalog.models import Category, Product
from apps.catalog.rest.serializers import product_data
from tests.integration.catalog.shop import product

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


def by_orm(ids) -> list[Product]:
    return list(selectors.products_for_sale().filter(public_id__in=ids).order_by("pk"))


def test_it_reads_what_the_orm_reads(django_assert_num_queries):
    shelf = Category.objects.using("catalog").create(name="Shelf", slug="shelf")
    ids = [product(on_hand=7), product(), product(attributes={"size": [1, 2.5, None]}), product()]
    keys = [selectors.product_get(public_id=one).pk for one in ids]
    services.product_change(product_pk=keys[0], version=1, changes={"category_id": shelf.pk})
    services.product_change(product_pk=keys[1], version=1, changes={"active": False})
    services.product_delete(product_pk=keys[3], version=None)
    wanted = [*map(str, ids), str(uuid4())]
    for _ in range(2):  # composed, and as it was composed
        with django_assert_num_queries(1, connection=connections["catalog"]):
            found = sorted(rows.for_sale(wanted), key=lambda one: one.pk)
            data = [product_data(one) for one in found]
        assert [one.public_id for one in found] == [ids[0], ids[2]]
        assert data == [product_data(one) for one in by_orm(ids)]
        assert [one.__dict__.keys() for one in found] == [
            one.__dict__.keys() for one in by_orm(ids)
        ]
        assert not any(one._state.adding for one in found)


def test_nothing_is_asked_for_nothing_found():
    assert rows.for_sale([]) == []
