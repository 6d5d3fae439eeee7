"""The filter of ids that never were: trusted only while it is whole and ours."""

from threading import Event, Thread
from uuid import UUID

import pytest
from django.db import connections, transaction
from moneyed import Money

from apps.catalog import services
from apps.catalog.caching import known, learning
from apps.catalog.caching.names import KNOWN
from apps.common.ids import new_id
from tests.integration.catalog import shop
from tests.integration.catalog.caching.conftest import LIST

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "catalog"])


def unknown(count: int) -> list[str]:
    return [str(new_id()) for _ in range(count)]


def test_at_most_one_in_a_hundred_unknown_ids_is_taken_for_known(cache, monkeypatch):
    ids = unknown(learning.LEAST_IDS)  # as many as it is made for
    monkeypatch.setattr(learning, "product_ids", lambda at_once: [ids[n::2] for n in range(2)])
    assert learning.rebuild() == len(ids)
    assert known.possible(ids) == ids
    strangers = unknown(10_000)
    assert len(known.possible(strangers)) <= 0.01 * len(strangers)


def test_an_id_that_never_was_costs_no_query(cache, get, costs):
    shop.product(1)
    assert learning.rebuild() == 1
    with costs(queries=0, commands=3):
        get(f"{LIST}/{new_id()}", 404)


def test_without_a_filter_everything_is_possible(cache):
    ids = unknown(3)
    assert known.possible(ids) == ids
    assert learning.rebuild() == 0  # of an empty shop
    assert known.possible(ids) == []
    cache.flushdb()
    assert known.possible(ids) == ids


def test_what_is_half_built_forged_or_torn_is_not_trusted(cache):
    ids = unknown(3)
    learning.rebuild()
    whole = cache.get(KNOWN.value)
    unsealed = whole[:32] + bytes(32) + whole[64:]
    bits = (8 * (len(whole) - 64)).to_bytes(6, "big")
    for text in (
        unsealed,
        whole[:9] + bits[:-1] + b"\0" + whole[15:],  # another number of bits
        whole[:-1],
        whole + b"\0",
        whole[:32],
        b"HFBLOOM1" + b"\xff" * 100,
        b"HFBLOOM1" + bytes(100),
        b"",
        whole[:32] + bytes([whole[32] ^ 1]) + whole[33:],
    ):
        cache.set(KNOWN.value, text)
        assert known.possible(ids) == ids
        assert known.add([UUID(ids[0])])
        assert cache.strlen(KNOWN.value) == len(text)
    cache.delete(KNOWN.value)
    cache.hset(KNOWN.value, "HFBLOOM1", "1")
    assert known.possible(ids) == ids
    assert known.add([UUID(ids[0])])
    cache.set(KNOWN.value, whole)
    assert known.possible(ids) == []


def test_a_new_product_is_known_before_it_is_committed(cache):
    learning.rebuild()
    with transaction.atomic(using="catalog"):
        made = services.product_create(sku="A", name="A", price=Money(1, "GBP"))
        assert known.possible([str(made.public_id)]) == [str(made.public_id)]
    imported = shop.product()
    assert known.possible([str(imported)]) == [str(imported)]


def test_a_new_filter_waits_for_whoever_was_adding_when_it_was_begun(cache):
    """A product added before the new filter was there, and committed after its ids were read."""
    learning.rebuild()
    inserted, go_on = Event(), Event()
    made = []

    def create() -> None:
        try:
            with transaction.atomic(using="catalog"):
                made.append(services.product_create(sku="A", name="A", price=Money(1, "GBP")))
                inserted.set()
                go_on.wait(10)
        finally:
            connections.close_all()

    creating = Thread(target=create)
    creating.start()
    assert inserted.wait(10)
    rebuilt: list[int] = []

    def rebuild() -> None:
        try:
            rebuilt.append(learning.rebuild())
        finally:
            connections.close_all()

    rebuilding = Thread(target=rebuild)
    rebuilding.start()
    rebuilding.join(0.3)
    assert rebuilding.is_alive()
    go_on.set()
    creating.join(10)
    rebuilding.join(10)
    assert rebuilt == [1]
    assert known.possible([str(made[0].public_id)]) == [str(made[0].public_id)]


def test_the_job_makes_it_where_it_is_missing_or_old(cache):
    shop.product()
    assert learning.refresh() == 1
    assert learning.refresh() == 0
    assert learning.refresh(seconds=0) == 1
    cache.flushdb()
    assert learning.refresh() == 1


def test_taking_the_filter_away_stops_the_one_that_is_being_made(cache, monkeypatch):
    """As when a product could not be added: it may be in neither."""
    shop.product()
    learning.rebuild()
    ids = learning.product_ids

    def and_then(at_once: int):
        yield from ids(at_once=at_once)
        cache.unlink(KNOWN.value, KNOWN.lease)

    monkeypatch.setattr(learning, "product_ids", and_then)
    assert learning.rebuild() == 0
    assert not cache.exists(KNOWN.value)
