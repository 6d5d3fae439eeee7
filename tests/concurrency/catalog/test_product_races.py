"""Edits and imports that meet."""

from functools import partial

import pytest
from moneyed import Money

from apps.catalog import categories, facade, sample_shop, services
from apps.catalog.contracts import ImportProduct
from apps.catalog.models import Category, Product, StockItem
from apps.common.errors import InvalidInput, VersionConflict
from tests.concurrency.catalog.threads import failures, together
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(transaction=True, databases=["catalog"])


def test_of_many_edits_at_one_version_exactly_one_is_kept():
    shop.product()
    pk = Product.objects.get().pk
    answers = together(
        *[
            partial(services.product_change, product_pk=pk, version=1, changes={"name": f"N{n}"})
            for n in range(8)
        ]
    )
    refused = failures(answers)
    assert len(refused) == 7
    assert all(isinstance(one, VersionConflict) for one in refused)
    assert Product.objects.get().version == 2


def test_imports_of_the_same_products_make_each_once():
    wishes = [ImportProduct(f"S{n}", f"Thing {n}", Money("1", "GBP"), "Tea") for n in range(40)]
    answers = together(
        *[lambda: facade.import_products(wishes), lambda: facade.import_products(wishes[::-1])] * 3
    )
    assert failures(answers) == []
    assert all(one == answers[0] for one in answers)
    assert Product.objects.count() == StockItem.objects.count() == 40
    assert Category.objects.count() == 1


def test_the_sample_is_loaded_once():
    assert sorted(together(*[sample_shop.load] * 4)) == [0, 0, 0, 24]
    assert Product.objects.count() == 24


def test_two_categories_never_stand_below_each_other():
    one, other = (categories.category_create(name=name) for name in ("One", "Other"))
    answers = together(
        *[
            partial(
                categories.category_change,
                category_id=child.pk,
                name=child.name,
                slug=child.slug,
                parent_id=parent.pk,
            )
            for child, parent in ((one, other), (other, one))
        ]
    )
    [refused] = failures(answers)
    assert isinstance(refused, InvalidInput)
    assert Category.objects.filter(parent=None).count() == 1


def test_a_product_never_ends_up_in_a_category_deleted_meanwhile():
    for n in range(5):
        shelf = categories.category_create(name=f"Shelf {n}")
        together(
            partial(categories.category_delete, category_id=shelf.pk),
            partial(
                services.product_create,
                sku=f"S{n}",
                name="Cup",
                price=Money("1", "GBP"),
                category_id=shelf.pk,
            ),
        )
    assert not Product.objects.filter(category__deleted__isnull=False).exists()
    assert Product.objects.count() == Category.objects.count()
