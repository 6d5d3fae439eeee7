"""Versions of events grow in the order of commits, whoever is faster."""

from uuid import uuid4

import pytest

from apps.catalog import facade, services
from apps.catalog.contracts import AdjustStock
from apps.catalog.models import Product
from tests.concurrency.catalog.threads import failures, together
from tests.integration.catalog import shop
from tests.told import listening

pytestmark = pytest.mark.django_db(transaction=True, databases=["catalog"])
WRITERS, TIMES = 8, 6


def test_each_corrected_count_follows_from_the_one_of_the_version_before():
    cup = shop.product(1_000)

    def work() -> None:
        for _ in range(TIMES):
            facade.adjust_stock(AdjustStock(str(uuid4()), "staff:1", cup, 1, "found"))

    with listening("catalog") as told:
        assert failures(together(*[work] * WRITERS)) == []
    told.sort(key=lambda one: one.version)
    assert [one.payload.on_hand for one in told] == list(range(1_001, 1_001 + WRITERS * TIMES))


def test_of_an_order_reserved_and_released_at_the_same_time_the_release_is_the_later():
    cup = shop.product(1_000)
    commands = [shop.reserve((cup, 1)) for _ in range(WRITERS)]
    with listening("catalog") as told:
        answers = together(
            *[lambda one=one: facade.reserve_stock([one]) for one in commands],
            *[lambda one=one: facade.release_stock([shop.release(one)]) for one in commands],
        )
        assert failures(answers) == []
    told.sort(key=lambda one: one.version)
    for command in commands:  # a release that came first fenced the reservation off
        topics = [one.topic for one in told if one.payload.order_id == command.order_id]
        assert topics in ([], ["stock.reserved", "stock.released"])
    assert shop.levels(cup) == (1_000, 0)


def test_a_products_events_have_its_versions_one_by_one():
    product_id = shop.product()
    product = Product.objects.get(public_id=product_id)

    def work(number: int) -> int:
        for _ in range(50):
            version = Product.objects.get(pk=product.pk).version
            try:
                services.product_change(
                    product_pk=product.pk, version=version, changes={"name": f"Cup {number}"}
                )
                return version + 1
            except services.VersionConflict:
                continue
        raise AssertionError("never the first")

    with listening("catalog") as told:
        answers = together(*[lambda number=number: work(number) for number in range(WRITERS)])
    assert failures(answers) == []
    assert sorted(one.version for one in told) == list(range(2, 2 + WRITERS)) == sorted(answers)
