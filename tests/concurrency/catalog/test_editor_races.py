"""Two members of staff at one product: the second is told so, and nothing is overwritten."""

import threading
from functools import partial

import pytest
from django.db import transaction
from django.db.models import F
from moneyed import Money

from apps.catalog import bulk, services
from apps.catalog.contracts import BulkItem, BulkOutcome, UpsertProducts
from apps.catalog.models import PriceChange, Product, StockItem
from apps.common.errors import Conflict, NotFound, VersionConflict
from tests.concurrency.catalog.threads import failures, together
from tests.integration.catalog import shop
from tests.integration.catalog.people import staff

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "catalog", "orders"])


def test_of_two_editors_over_http_the_second_gets_409():
    public_id = shop.product(name="Cup")
    editors = [staff("change_product") for _ in range(4)]
    address = f"/api/v1/products/{public_id}"
    answers = together(
        *[
            partial(one.patch, address, {"name": f"Editor {n}"}, headers={"If-Match": '"1"'})
            for n, one in enumerate(editors)
        ]
    )
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]
    [winner] = [one.json()["name"] for one in answers if one.status_code == 200]
    product = Product.objects.get()
    assert (product.name, product.version) == (winner, 2)
    conflicts = [one.json() for one in answers if one.status_code == 409]
    assert {(one["code"], one["version"]) for one in conflicts} == {("version_conflict", 2)}


def test_without_the_version_the_second_edit_would_overwrite_the_first():
    """The control: the same race on an unguarded update loses all edits but the last."""
    shop.product(name="Cup")
    barrier = threading.Barrier(4, timeout=20)

    def overwrite(n: int) -> int:
        with transaction.atomic(using="catalog"):
            seen = Product.objects.get()
            barrier.wait()
            return Product.objects.filter(pk=seen.pk).update(name=f"{n}", version=F("version") + 1)

    answers = together(*[partial(overwrite, n) for n in range(4)])
    assert (failures(answers), sum(answers)) == ([], 4)


def test_every_price_that_was_is_in_the_history_once():
    shop.product(price=Money("1.00", "GBP"))
    pk = Product.objects.get().pk
    for version in (1, 2, 3):
        together(
            *[
                partial(
                    services.product_change,
                    product_pk=pk,
                    version=version,
                    changes={"price": Money(10 * version + n, "GBP")},
                )
                for n in range(3)
            ]
        )
    rows = PriceChange.objects.order_by("pk")
    assert [one.version for one in rows] == [1, 2, 3, 4]
    assert [one.before for one in rows][1:] == [one.after for one in rows][:-1]
    assert rows.last().after == Product.objects.get().price


def test_a_purge_and_a_restore_never_both_win():
    for n in range(5):
        shop.product(sku=f"S{n}")
        pk = Product.objects.get(sku=f"S{n}").pk
        services.product_delete(product_pk=pk)
        purged, restored = together(
            partial(services.product_purge, product_pk=pk),
            partial(services.product_restore, product_pk=pk),
        )
        if Product.objects.filter(pk=pk).exists():
            assert isinstance(purged, Conflict) and not isinstance(restored, BaseException)
            assert StockItem.objects.filter(pk=pk).exists()
        else:
            assert purged is None and isinstance(restored, NotFound)
            assert not StockItem.objects.filter(pk=pk).exists()


def test_bulks_that_meet_make_each_product_once():
    items = [
        BulkItem(f"S{n}", {"name": f"Thing {n}", "slug": f"s{n}"}, Money("1", "GBP"))
        for n in range(30)
    ]

    def send(key: str, wanted: list[BulkItem]):
        return bulk.products_upsert(UpsertProducts(key, "staff:1", tuple(wanted)))

    answers = together(*[partial(send, f"k{n}", items[:: 1 if n % 2 else -1]) for n in range(4)])
    assert failures(answers) == []
    outcomes = [one.result for answer in answers for one in answer.results]
    assert outcomes.count(BulkOutcome.CREATED) == 30
    assert outcomes.count(BulkOutcome.UNCHANGED) == 90
    assert Product.objects.count() == StockItem.objects.count() == 30
    assert PriceChange.objects.count() == 30


def test_a_bulk_and_an_editor_never_overwrite_each_other():
    shop.product(sku="CUP", name="Cup")
    pk = Product.objects.get().pk
    item = BulkItem("CUP", {"name": "By bulk"}, version=1)
    edited, answer = together(
        partial(services.product_change, product_pk=pk, version=1, changes={"name": "By hand"}),
        partial(bulk.products_upsert, UpsertProducts("k", "staff:1", (item,))),
    )
    [result] = answer.results
    product = Product.objects.get()
    assert product.version == 2
    if product.name == "By bulk":
        assert isinstance(edited, VersionConflict)
    else:
        assert (result.result, result.errors[0].code) == (BulkOutcome.ERROR, "version_conflict")
