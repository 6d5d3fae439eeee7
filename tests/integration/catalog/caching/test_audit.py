"""The audit compares what the cache has with what the database gives."""

import pytest

from apps.caching.keys import Key
from apps.catalog.caching import audit, learning
from apps.catalog.caching.audit import cache_matches
from apps.catalog.caching.names import KNOWN, PRODUCT
from apps.common.databases import execute
from apps.common.rest.headers import versioned_etag
from apps.orders.audit import others
from tests.integration.catalog import shop
from tests.integration.catalog.caching.conftest import LIST

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "catalog"])


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(audit, "BETWEEN", 0.0)


def test_it_is_part_of_every_audit():
    assert others.registered()["cache_matches"] is cache_matches


def test_what_agrees_is_counted(cache, get):
    ids = [shop.product(n) for n in range(3)]
    assert cache_matches() == (0, {})
    get(LIST)
    get("/api/v1/categories")
    assert cache_matches() == (4, {})
    execute("catalog", "UPDATE catalog_product SET active = false")  # nobody was told
    compared, wrong = cache_matches()
    assert (compared, wrong.keys()) == (4, {str(one) for one in ids})
    assert "the database nothing" in wrong[str(ids[0])]


def test_a_forged_value_and_a_wrong_absence_are_found(cache, get):
    cup, pot = shop.product(3), shop.product(4)
    get(LIST)
    kept = cache.hgetall(Key(PRODUCT, str(cup)).value)
    json = kept[b"json"].replace(b'"quantity":3', b'"quantity":9')
    etag = versioned_etag(int(kept[b"version"]), json)
    cache.hset(Key(PRODUCT, str(cup)).value, mapping={"json": json, "etag": etag})
    # Somebody's "there is none" of a product that there is.
    stamp = cache.hgetall(Key(PRODUCT, str(pot)).value)
    cache.delete(Key(PRODUCT, str(pot)).value)
    none = {"_none": b"1", "_s": stamp[b"_s"], "_f": stamp[b"_f"], "_d": stamp[b"_d"]}
    cache.hset(Key(PRODUCT, str(pot)).value, mapping=none)
    compared, wrong = cache_matches()
    assert (compared, wrong.keys()) == (2, {str(cup), str(pot)})
    assert "the cache has nothing" in wrong[str(pot)]
    cache.hset(Key(PRODUCT, str(pot)).value, "_f", "of another form")  # no reader takes it
    assert cache_matches()[0] == 1


def test_a_filter_that_does_not_know_a_product_is_found(cache):
    learning.rebuild()
    whole = cache.get(KNOWN.value)
    cup = shop.product()
    assert cache_matches() == (0, {})
    cache.set(KNOWN.value, whole)
    assert cache_matches() == (0, {str(cup): "there, but taken for an id that never was"})
