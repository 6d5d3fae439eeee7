"""What each change of a product or category tells, whichever way it is made."""

import pytest
from django.db import transaction
from moneyed import Money

from apps.catalog import categories, facade, purging, sample_shop, services, trash
from apps.catalog.contracts import ImportProduct
from apps.catalog.errors import Taken
from apps.catalog.event_contracts import (
    CategoryDeleted,
    CategoryState,
    InCategory,
    ProductDeleted,
    ProductState,
)
from apps.catalog.models import Category, Product
from apps.common.correlation import request_id_bound
from apps.common.errors import Conflict, VersionConflict
from tests.integration.catalog import shop
from tests.integration.catalog.people import staff
from tests.integration.catalog.test_bulk import RIGHTS, item, send
from tests.told import listening

pytestmark = pytest.mark.django_db(databases=["default", "catalog", "orders"])
PRICE = Money("12.50", "GBP")


def make(sku: str = "CUP", **values) -> Product:
    return services.product_create(**{"sku": sku, "name": sku.title(), "price": PRICE} | values)


def state(product: Product, **other) -> ProductState:
    """The product as it is told, with ``other`` values."""
    shelf = product.category
    values = {
        "product_id": product.public_id,
        "sku": product.sku,
        "name": product.name,
        "slug": product.slug,
        "price": product.price,
        "active": product.active,
        "category": InCategory(shelf.public_id, shelf.name) if shelf else None,
    }
    return ProductState(**values | other)


def test_a_product_is_told_of_from_its_making_to_its_end():
    tea = categories.category_create(name="Tea")
    with listening("catalog") as told, request_id_bound("r1"):
        cup = make(category_id=tea.pk)
        services.product_change(
            product_pk=cup.pk, version=1, changes={"price": Money("9.99", "EUR")}
        )
        services.product_change(product_pk=cup.pk, version=2, changes={"description": "Blue."})
        services.product_delete(product_pk=cup.pk)
        services.product_restore(product_pk=cup.pk)
        services.product_delete(product_pk=cup.pk)
        services.product_purge(product_pk=cup.pk)
    cheap = state(cup, price=Money("9.99", "EUR"))
    gone = ProductDeleted(cup.public_id, "CUP", "Cup")
    assert told.facts == [
        ("product.created", state(cup)),
        ("product.updated", cheap),
        ("product.updated", cheap),
        ("product.deleted", gone),
        ("product.restored", cheap),
        ("product.deleted", gone),
    ]
    assert [one.version for one in told] == [1, 2, 3, 4, 5, 6]
    assert {one.aggregate for one in told} == {f"product:{cup.public_id}"}
    assert {one.correlation_id for one in told} == {"r1"}


def test_what_changes_nothing_or_is_refused_tells_nothing():
    cup, pot = make(), make("POT")
    services.product_delete(product_pk=pot.pk)
    with listening("catalog") as told:
        services.product_change(product_pk=cup.pk, version=1, changes={"name": "Cup"})
        services.product_restore(product_pk=cup.pk)
        services.product_delete(product_pk=pot.pk)
        with pytest.raises(VersionConflict):
            services.product_change(product_pk=cup.pk, version=9, changes={"name": "Mug"})
        with pytest.raises(Taken):
            make()
        with pytest.raises(RuntimeError), transaction.atomic(using="catalog"):
            services.product_delete(product_pk=cup.pk)
            raise RuntimeError
        purging.products_purge(days=0)
    assert told == []


def test_a_category_is_told_of_from_its_making_to_its_end():
    with listening("catalog") as told:
        kitchen = categories.category_create(name="Kitchen")
        tea = categories.category_create(name="Tea", parent_id=kitchen.pk)
        for _ in range(2):
            categories.category_change(category_id=tea.pk, name="Teas", slug="tea")
        categories.category_delete(category_id=tea.pk)
        categories.category_delete(category_id=tea.pk)
        categories.category_restore(category_id=tea.pk)
        categories.category_restore(category_id=tea.pk)
        make(category_id=tea.pk)
        with pytest.raises(Conflict):
            categories.category_delete(category_id=tea.pk)
        categories.category_purge(category_id=empty().pk)
    teas = CategoryState(tea.public_id, "Teas", "tea", None)
    assert [one for one in told.facts if told_of(one, tea)] == [
        ("category.created", CategoryState(tea.public_id, "Tea", "tea", kitchen.public_id)),
        ("category.updated", teas),
        ("category.deleted", CategoryDeleted(tea.public_id, "Teas", "tea")),
        ("category.restored", teas),
    ]
    assert told.topics[-3:] == ["product.created", "category.created", "category.deleted"]


def told_of(fact: tuple, category: Category) -> bool:
    return getattr(fact[1], "category_id", None) == category.public_id


def empty() -> Category:
    """A category that was made and deleted."""
    category = categories.category_create(name="Empty")
    categories.category_delete(category_id=category.pk)
    return category


def test_the_trash_tells_of_all_that_it_brings_back():
    tea = categories.category_create(name="Tea")
    cup = make(category_id=tea.pk)
    services.product_delete(product_pk=cup.pk)
    categories.category_delete(category_id=tea.pk)
    with listening("catalog") as told:
        trash.product_restore(cup.pk)
    assert told.topics == ["category.restored", "product.restored"]


def test_an_import_tells_of_what_it_made_and_not_of_what_was_there():
    shop.product(sku="OLD")
    wanted = [ImportProduct(sku, sku, PRICE, "Tea") for sku in ("OLD", "B", "A")]
    # Another name, the same slug: the second gets one of its own.
    wanted.append(ImportProduct("a", "A", PRICE))
    with listening("catalog") as told:
        facade.import_products(wanted)
        facade.import_products(wanted)
    assert told.topics == ["category.created"] + ["product.created"] * 3
    tea = Category.objects.get()
    assert told[0].payload == CategoryState(tea.public_id, "Tea", "tea", None)
    made = Product.objects.exclude(sku="OLD").order_by("pk")
    assert [one.payload for one in told[1:]] == [state(one) for one in made]


def test_a_bulk_request_tells_of_each_product_it_made_or_changed():
    client = staff(*RIGHTS)
    tea = categories.category_create(name="Tea")
    send(item("A"), item("B"), client=client)
    with listening("catalog") as told:
        for _ in range(2):  # the second is a repeat
            send(
                item("A", category="tea"),
                item("B"),
                item("C", active=False),
                {"sku": "D"},
                key="k2",
                client=client,
            )
    rows = {one.sku: one for one in Product.objects.select_related("category")}
    assert told.facts == [
        ("product.created", state(rows["C"])),
        ("product.updated", state(rows["A"])),
    ]
    assert told[1].payload.category == InCategory(tea.public_id, "Tea")
    assert [one.version for one in told] == [1, 2]
    assert told[0].correlation_id == told[1].correlation_id != ""


def test_the_sample_shop_tells_of_all_of_it():
    with listening("catalog") as told:
        sample_shop.load()
        sample_shop.load()
    assert {topic: told.topics.count(topic) for topic in told.topics} == {
        "category.created": 5,
        "product.created": 24,
        "stock.restocked": 24,
    }


def test_the_rest_api_tells_with_the_id_of_its_request():
    client = staff("add_product", "change_product", "delete_product")
    with listening("catalog") as told:
        made = client.post(
            "/api/v1/products",
            {"sku": "CUP", "name": "Cup", "price": {"amount": "1.00", "currency": "GBP"}},
            headers={"X-Request-ID": "r1"},
        )
        client.patch(
            made["Location"],
            {"name": "Mug"},
            headers={"X-Request-ID": "r2", "If-Match": made["ETag"]},
        )
        client.delete(made["Location"], headers={"X-Request-ID": "r3"})
    assert [(one.topic, one.correlation_id) for one in told] == [
        ("product.created", "r1"),
        ("product.updated", "r2"),
        ("product.deleted", "r3"),
    ]
