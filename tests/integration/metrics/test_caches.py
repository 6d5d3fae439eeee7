"""``/metrics`` tells what the caches did, and how many edits wait for the database."""

from dataclasses import fields

import pytest

from apps.caching import statistics
from apps.caching.local import store
from apps.caching.strategies import strategy
from apps.catalog.caching.names import PRODUCT
from project.metrics import caches
from tests.integration.catalog import shop
from tests.integration.catalog.feed.conftest import own_buffer  # noqa: F401
from tests.integration.catalog.feed.sent import flush, gbp, send
from tests.integration.metrics.test_metrics import gauges, read

pytestmark = pytest.mark.django_db(databases="__all__")


def test_every_figure_of_the_caches_is_exported():
    assert set(caches.ABOUT) == {one.name for one in fields(statistics.Statistics)}
    exported = set(caches.LOCAL) | set(caches.local_gauges)
    assert exported == {one.name for one in fields(store.Statistics)}


@pytest.mark.django_db(databases="__all__", transaction=True)
def test_what_a_cache_did_is_counted_once(client):
    product_id = str(shop.product(sku="CUP"))
    before = read(client)
    for _ in range(3):
        strategy(PRODUCT).get(product_id)
    read(client)
    after = read(client)

    def grown(name: str) -> float:
        key = (f"holdfast_cache_{name}_total", PRODUCT)
        return after.get(key, 0) - before.get(key, 0)

    assert [grown(name) for name in ("requests", "hits", "misses", "fills")] == [3, 2, 1, 1]


def test_edits_that_wait_are_counted():
    shop.product(sku="CUP")
    send({"sku": "CUP", "price": gbp("5.00")})
    waiting = gauges()
    key = ("holdfast_write_behind_pending", "catalog.products")
    assert waiting["holdfast_source_up", "write-behind"] == 1
    assert waiting[key] == 1
    assert 0 <= waiting["holdfast_write_behind_oldest_seconds", "catalog.products"] < 60
    assert waiting["holdfast_write_behind_dead_letters", "catalog.products"] == 0
    assert waiting["holdfast_write_behind_loss_bound_seconds",] >= 0
    flush()
    assert gauges()[key] == 0
