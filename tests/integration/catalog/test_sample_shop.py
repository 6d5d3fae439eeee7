"""The sample that a fresh installation sells."""

from io import StringIO

import pytest
from django.core.management import call_command

from apps.catalog import facade, sample_shop
from apps.catalog.models import Category, Product, StockItem
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["catalog"])


def test_an_empty_catalogue_gets_the_sample_once():
    out = StringIO()
    call_command("load_sample_shop", stdout=out)
    call_command("load_sample_shop", stdout=out)
    assert out.getvalue().splitlines() == [
        "24 products are for sale.",
        "The catalogue is not empty: nothing to do.",
    ]
    assert Product.objects.count() == 24
    assert set(Product.objects.values_list("price_currency", "active")) == {("GBP", True)}
    assert Category.objects.count() == 5
    assert StockItem.objects.filter(on_hand__gt=0, reserved=0).count() == 24
    assert facade.audit_stock() == []


def test_a_shop_of_its_own_is_left_alone():
    shop.product(3)
    assert sample_shop.load() == 0
    assert Product.objects.count() == 1
