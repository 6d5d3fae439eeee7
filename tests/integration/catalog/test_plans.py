"""The indexes answer what they were made for: PostgreSQL's own plans on a shop of some size."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.db.models import QuerySet
from django.http import QueryDict

from apps.catalog import searching, selectors
from apps.catalog.models import Product
from apps.catalog.rest.filters import ProductFilter
from bench.data import TABLES, insert_products

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
PRODUCTS = 12_000
ENTRIES = "catalog_searchentry_text"
ORDERED = [
    ("price", "product_by_price"),
    ("-price", "product_by_price"),
    ("created_at", "product_by_age"),
    ("-created_at", "product_by_age"),
    ("name", "product_shelf"),
]
FILTERED = [
    ("search=cushion 4711", ENTRIES),
    ("search=GEN-4711", ENTRIES),
    ("search=numbered fa3c12", ENTRIES),
    ("attributes.batch=B17", "product_attributes"),
    ("attributes.size.width=3&attributes.size.height=5", "product_attributes"),
    ("min_price=10&max_price=10.05", "product_by_price"),
    ("category=shelf-1-3&attributes.batch=B17", "product_attributes"),
]


def page(ordering: str) -> QuerySet:
    unique = "-public_id" if ordering.startswith("-") else "public_id"
    return selectors.products_for_sale().order_by(ordering, unique)[:21]


def found(query: str) -> QuerySet:
    """All that match: for the first few by name, walking the names may look cheaper."""
    rows = ProductFilter(QueryDict(query), selectors.products_for_sale())
    assert rows.is_valid(), rows.errors
    return rows.qs.order_by()


def test_the_indexes_are_used():
    insert_products(PRODUCTS)
    with connections["catalog"].cursor() as cursor:
        for index in (ENTRIES, "product_attributes"):  # as autovacuum does
            cursor.execute("SELECT gin_clean_pending_list(%s)", [index])
        cursor.execute(f"ANALYZE {TABLES}")
    plans = [(page(order).explain(), index) for order, index in ORDERED]
    plans += [(found(query).explain(), index) for query, index in FILTERED]
    for plan, index in plans:
        assert index in plan, plan
        assert "Seq Scan on catalog_product" not in plan, plan
    for order, _ in ORDERED:
        assert "Sort" not in page(order).explain().replace("Incremental Sort", "")


def test_what_was_generated_is_what_the_services_would_have_left():
    from apps.catalog import facade

    insert_products(120)
    assert insert_products(30) == 30
    assert Product.all_objects.count() == 150
    assert facade.audit_stock() == []
    assert found("search=GEN-150 potter&attributes.material=wood").count() <= 1


class TestWithoutTheExtension:
    @pytest.fixture(autouse=True)
    def _no_extension(self):
        """A role that may not create it, until the test's transaction is rolled back."""
        with connections["catalog"].cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_trgm CASCADE")
            cursor.execute("CREATE ROLE catalogue_clerk")
            cursor.execute(
                "GRANT SELECT ON ALL TABLES IN SCHEMA public TO catalogue_clerk;"
                "GRANT DELETE, INSERT ON catalog_searchword TO catalogue_clerk"
            )
            cursor.execute("SET LOCAL ROLE catalogue_clerk")

    def test_the_reason_is_told_and_the_check_says_what_to_do(self):
        with transaction.atomic(using="catalog"):
            assert "permission denied" in searching.create_index()
        [warning] = searching.check_index(databases=["catalog"])
        assert (warning.id, "pg_trgm" in warning.hint) == ("catalog.W001", True)
        assert searching.check_index(databases=["orders"]) == []
        with pytest.raises(CommandError, match="pg_trgm"):
            call_command("index_search")

    def test_it_is_made_as_soon_as_that_is_allowed(self):
        assert list(Product.objects.filter(searching.matching("cup"))) == []
        with connections["catalog"].cursor() as cursor:
            cursor.execute("RESET ROLE")
        told = StringIO()
        call_command("index_search", stdout=told)
        assert "has its indexes; 0 words" in told.getvalue()
        assert searching.check_index(databases=["catalog"]) == []
