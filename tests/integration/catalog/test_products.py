"""Products and categories through their services."""

from decimal import Decimal

import pytest
from moneyed import Money

from apps.catalog import categories, facade, services
from apps.catalog.errors import Taken
from apps.catalog.models import Category, Product
from apps.common.errors import Conflict, InvalidInput, NotFound, VersionConflict
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(databases=["catalog"])
PRICE = Money("12.50", "GBP")


def make(sku: str = "CUP-1", **values) -> Product:
    return services.product_create(
        **{"sku": sku, "name": "Blue Cup", "price": PRICE, "slug": sku.lower()} | values
    )


def test_a_new_product_has_a_slug_a_version_and_a_stock_item_at_zero():
    product = services.product_create(sku=" CUP 1 ", name="Blue Cup", price=PRICE)
    assert (product.sku, product.slug, product.version) == ("CUP 1", "blue-cup-cup-1", 1)
    assert product.price == PRICE
    assert shop.levels(product.public_id) == (0, 0)


def test_a_change_counts_the_version_and_keeps_the_rest():
    product = make(description="Holds tea.")
    changed = services.product_change(
        product_pk=product.pk,
        version=1,
        changes={"price": Money("9.99", "EUR"), "attributes": {"colour": "blue"}},
    )
    assert (changed.version, changed.price, changed.attributes, changed.description) == (
        2,
        Money("9.99", "EUR"),
        {"colour": "blue"},
        "Holds tea.",
    )
    assert changed.updated_at > product.updated_at or changed.updated_at == product.updated_at


def test_the_second_of_two_edits_is_told_so_and_changes_nothing():
    product = make()
    services.product_change(product_pk=product.pk, version=1, changes={"name": "First"})
    with pytest.raises(VersionConflict) as caught:
        services.product_change(product_pk=product.pk, version=1, changes={"name": "Second"})
    assert caught.value.extra == {"version": 2}
    assert Product.objects.get().name == "First"


@pytest.mark.parametrize("field", ["sku", "slug"])
def test_a_name_is_taken_among_the_living_only(field):
    first, other = make("CUP-1"), make("POT-1")
    taken = {"sku": "CUP-1"} if field == "sku" else {"slug": "cup-1"}
    with pytest.raises(Taken) as caught:
        make(**{"sku": "NEW-1", "slug": "new-1"} | taken)
    holder = {"id": str(first.public_id), "name": "Blue Cup"}
    assert caught.value.code == f"{field}_taken"
    assert caught.value.extra == {"field": field, "holder": holder}
    with pytest.raises(Taken):
        services.product_change(product_pk=other.pk, version=1, changes=taken)
    assert Product.objects.count() == 2
    services.product_delete(product_pk=first.pk)
    services.product_change(product_pk=other.pk, version=1, changes=taken)


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({"sku": " ", "slug": "cup"}, "sku", "blank"),
        ({"sku": "x" * 65}, "sku", "max_length"),
        ({"name": ""}, "name", "blank"),
        ({"name": "a\x00b"}, "name", "null_characters_not_allowed"),
        ({"slug": "No Slug"}, "slug", "invalid"),
        ({"price": Money("-0.01", "GBP")}, "price", "range"),
        ({"price": Money("1.005", "GBP")}, "price", "max_decimal_places"),
        ({"price": Money(Decimal("NaN"), "GBP")}, "price", "range"),
        ({"price": Money("1", "JPY")}, "price", "currency"),
        ({"attributes": {"a": "\x00"}}, "attributes", "invalid"),
        ({"attributes": {"a": object()}}, "attributes", "invalid"),
        ({"description": "x" * 20_001}, "description", "max_length"),
    ],
)
def test_a_value_that_does_not_fit_is_named(values, field, code):
    with pytest.raises(InvalidInput) as caught:
        make(**values)
    assert [(one.field, one.code) for one in caught.value.errors] == [(field, code)]
    assert not Product.all_objects.exists()


def test_deleting_takes_a_product_out_of_sale_and_restoring_brings_it_back():
    product = make()
    services.product_delete(product_pk=product.pk, version=1)
    services.product_delete(product_pk=product.pk)
    assert facade.get_offers([product.public_id]) == ()
    assert not facade.catalogue_is_empty()
    for _ in range(2):
        restored = services.product_restore(product_pk=product.pk)
        assert (restored.deleted, restored.version) == (None, 3)
    [offer] = facade.get_offers([product.public_id])
    assert (offer.sku, offer.unit_price, offer.active) == ("CUP-1", PRICE, True)


def test_a_deletion_at_a_stale_version_is_refused():
    product = make()
    services.product_change(product_pk=product.pk, version=1, changes={"name": "First"})
    with pytest.raises(VersionConflict):
        services.product_delete(product_pk=product.pk, version=1)
    assert Product.objects.filter(pk=product.pk).exists()


def test_a_stale_edit_or_save_never_resurrects():
    product = make()
    stale = Product.objects.get()
    services.product_delete(product_pk=product.pk)
    with pytest.raises(NotFound):
        services.product_change(product_pk=product.pk, version=2, changes={"name": "Undead"})
    stale.save()
    assert not Product.objects.exists()
    assert Product.deleted_objects.count() == 1


def test_restoring_into_a_taken_name_says_which_and_stays_deleted():
    product = make()
    services.product_delete(product_pk=product.pk)
    make()
    with pytest.raises(Taken) as caught:
        services.product_restore(product_pk=product.pk)
    assert caught.value.code in ("sku_taken", "slug_taken")
    assert Product.deleted_objects.count() == 1


def test_what_never_was_is_not_found():
    for command in (
        lambda: services.product_change(product_pk=0, version=1, changes={"name": "x"}),
        lambda: services.product_delete(product_pk=0),
        lambda: services.product_restore(product_pk=0),
        lambda: categories.category_delete(category_id=0),
        lambda: categories.category_restore(category_id=0),
        lambda: categories.category_change(category_id=0, name="x", slug="x"),
    ):
        with pytest.raises(NotFound):
            command()


class TestCategories:
    def test_a_category_in_use_is_not_deleted(self):
        kitchen = categories.category_create(name="Kitchen & Tea")
        assert kitchen.slug == "kitchen-tea"
        cups = categories.category_create(name="Cups", parent_id=kitchen.pk)
        product = make(category_id=cups.pk)
        for one in (kitchen, cups):
            with pytest.raises(Conflict) as caught:
                categories.category_delete(category_id=one.pk)
            assert caught.value.code == "category_in_use"
        services.product_delete(product_pk=product.pk)
        categories.category_delete(category_id=cups.pk)
        categories.category_delete(category_id=kitchen.pk)
        assert not Category.objects.exists()

    def test_restoring_goes_from_the_top_down(self):
        kitchen = categories.category_create(name="Kitchen")
        cups = categories.category_create(name="Cups", parent_id=kitchen.pk)
        product = make(category_id=cups.pk)
        services.product_delete(product_pk=product.pk)
        categories.category_delete(category_id=cups.pk)
        categories.category_delete(category_id=kitchen.pk)
        for too_early in (
            lambda: services.product_restore(product_pk=product.pk),
            lambda: categories.category_restore(category_id=cups.pk),
        ):
            with pytest.raises(Conflict) as caught:
                too_early()
            assert caught.value.code == "category_deleted"
        for one in (kitchen, cups, cups):
            assert categories.category_restore(category_id=one.pk).deleted is None
        assert services.product_restore(product_pk=product.pk).deleted is None

    def test_a_category_never_stands_below_itself(self):
        top = categories.category_create(name="Top")
        middle = categories.category_create(name="Middle", parent_id=top.pk)
        low = categories.category_create(name="Low", parent_id=middle.pk)
        for parent in (top, middle, low):
            with pytest.raises(InvalidInput) as caught:
                categories.category_change(
                    category_id=top.pk, name="Top", slug="top", parent_id=parent.pk
                )
            assert caught.value.errors[0].code == "cycle"
        moved = categories.category_change(
            category_id=low.pk, name="Lowest", slug="lowest", parent_id=top.pk
        )
        assert (moved.name, moved.slug, moved.parent_id) == ("Lowest", "lowest", top.pk)

    def test_a_slug_is_taken_among_the_living_only(self):
        first = categories.category_create(name="Cups")
        with pytest.raises(Taken):
            categories.category_create(name="Cups")
        categories.category_delete(category_id=first.pk)
        categories.category_create(name="Cups")
        with pytest.raises(Taken):
            categories.category_restore(category_id=first.pk)

    def test_a_deleted_category_takes_nothing_in(self):
        gone = categories.category_create(name="Cups")
        categories.category_delete(category_id=gone.pk)
        for command in (
            lambda: make(category_id=gone.pk),
            lambda: categories.category_create(name="Mugs", parent_id=gone.pk),
        ):
            with pytest.raises(InvalidInput):
                command()
        assert not Product.all_objects.exists()
