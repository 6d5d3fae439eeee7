"""Batches of edits: a row takes each once, and never an older one after a newer."""

import pytest

from apps.caching.write_behind import Pending, Version
from apps.catalog import services
from apps.catalog.feed import flushing, sql
from apps.catalog.models import PriceChange
from tests.integration.catalog import shop
from tests.integration.catalog.feed.sent import price, row

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


def edit(product_id, counter: int, epoch: int = 5, **fields: str) -> Pending:
    raw = {name.replace("_", ":"): value.encode() for name, value in fields.items()}
    return Pending(str(product_id), Version(epoch, counter), raw)


def test_an_older_batch_is_not_written_over_a_newer_one():
    cup = shop.product(sku="CUP")
    assert flushing.apply([edit(cup, 2, price="6.00 GBP")]) == []
    assert flushing.apply([edit(cup, 1, price="5.00 GBP")]) == []
    assert flushing.apply([edit(cup, 9, epoch=4, price="4.00 GBP")]) == []
    assert (price(cup), row(cup).version) == ("6.00", 2)


def test_a_batch_that_comes_again_changes_nothing():
    cup = shop.product(sku="CUP")
    for _ in range(2):
        flushing.apply([edit(cup, 2, price="6.00 GBP", a_x="1")])
        services.product_change(product_pk=row(cup).pk, version=row(cup).version, changes={})
    assert (row(cup).version, PriceChange.objects.count()) == (2, 2)


def test_an_edit_back_to_the_row_s_own_value_counts_as_newer():
    cup = shop.product(sku="CUP")
    flushing.apply([edit(cup, 2, price="4.20 GBP")])
    flushing.apply([edit(cup, 1, price="5.00 GBP")])
    assert (price(cup), row(cup).version) == ("4.20", 1)


def test_what_no_product_can_take_is_rejected_alone():
    cup, mug, jug = (shop.product(sku=sku) for sku in ("CUP", "MUG", "JUG"))
    long = '"' + "x" * sql.MAX_ATTRIBUTES + '"'
    rejected = flushing.apply(
        [edit(cup, 1, a_x=long), edit(mug, 2, what="1"), edit(jug, 3, price="5.00 GBP")]
    )
    assert [(one.key, one.reason) for one in rejected] == [
        (str(mug), "what is no field of an edit"),
        (str(cup), "Its attributes would have more than 131,072 characters."),
    ]
    assert [row(one).version for one in (cup, mug, jug)] == [1, 1, 2]


def test_a_deleted_product_is_passed_over():
    cup = shop.product(sku="CUP")
    services.product_delete(product_pk=row(cup).pk)
    assert flushing.apply([edit(cup, 1, price="5.00 GBP")]) == []
    assert (price(cup), row(cup).version) == ("4.20", 2)


def test_a_batch_takes_few_queries(django_assert_num_queries):
    cups = [shop.product() for _ in range(10)]
    batch = [edit(one, n, price="5.00 GBP") for n, one in enumerate(cups, 1)]
    with django_assert_num_queries(3, using="catalog"):  # with the savepoint's two
        flushing.apply(batch)
    assert {price(one) for one in cups} == {"5.00"}
