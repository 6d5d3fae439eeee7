"""What is counted: over all that is found, by category with those above it, by price."""

from decimal import Decimal

import pytest
from moneyed import Money

from apps.catalog import categories, searching, selectors
from apps.catalog.models import Product
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


@pytest.fixture(autouse=True)
def _mugs(db):
    home = categories.category_create(name="Home")
    kitchen = categories.category_create(name="Kitchen", parent_id=home.pk)
    for place, (amount, currency, shelf) in enumerate(
        [
            ("0.99", "GBP", home),
            ("1.00", "GBP", kitchen),
            ("1.99", "GBP", kitchen),
            ("2.00", "GBP", kitchen),
            ("1500", "GBP", None),
            ("1.50", "EUR", kitchen),
        ]
    ):
        shop.product(sku=f"M{place}", name=f"Mug {place}", price=Money(amount, currency))
        Product.objects.filter(sku=f"M{place}").update(category=shelf)


def counts(found: searching.Found) -> tuple[list, list]:
    return (
        [(one.slug, one.parent, one.count) for one in found.categories],
        [(one.start, one.end, one.currency, one.count) for one in found.prices],
    )


def test_all_that_is_found_is_counted_not_only_the_page():
    found = searching.search(text="mug", limit=2)
    assert (len(found.page), found.total) == (2, 6)
    assert counts(found) == (
        [("home", None, 5), ("kitchen", "home", 4)],
        [
            (Decimal(0), Decimal(1), "GBP", 1),
            (Decimal(1), Decimal(2), "GBP", 2),
            (Decimal(2), Decimal(5), "GBP", 1),
            (Decimal(1000), None, "GBP", 1),
        ],
    )


def test_prices_are_counted_in_one_currency():
    found = searching.search(text="mug", limit=2, currency="EUR")
    assert counts(found)[1] == [(Decimal(1), Decimal(2), "EUR", 1)]


def test_filters_narrow_what_is_counted():
    among = selectors.products_for_sale().filter(price__lte=2, price_currency="GBP")
    found = searching.search(text="mug", limit=2, among=among)
    assert (found.total, counts(found)[0]) == (4, [("home", None, 4), ("kitchen", "home", 3)])
    nothing = searching.search(text="mug", limit=2, among=among.filter(pk__in=[]))
    assert (nothing.total, counts(nothing)) == (0, ([], []))


def test_without_facets_only_the_total():
    found = searching.search(text="mug", limit=2, facets=False)
    assert (found.total, counts(found), found.counted) == (6, ([], []), False)
