"""A catalogue in real databases, and a cache that is empty at first."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.caching import connections as caches
from apps.caching import retrying
from apps.caching.keys import Key
from apps.caching.strategies import strategy
from apps.catalog.caching.names import PRODUCT

LIST = "/api/v1/products"


@pytest.fixture
def cache(transactional_db) -> Iterator[redis.Redis]:
    client = caches.client()
    client.flushdb()
    yield client
    assert retrying.wait(5)
    client.flushdb()


@pytest.fixture
def get(client) -> Callable:
    def get(address: str, status: int = 200, **headers):
        response = client.get(address, headers=headers)
        assert response.status_code == status, response.content
        return response

    return get


@pytest.fixture
def show(cache, get) -> Callable[[object], dict]:
    """The product as a visitor sees it, once the cache has it."""

    def show(product_id) -> dict:
        first = get(f"{LIST}/{product_id}").json()
        assert is_kept(product_id)
        assert get(f"{LIST}/{product_id}").json() == first
        return first

    return show


def is_kept(product_id) -> bool:
    return bool(caches.client().exists(Key(PRODUCT, str(product_id)).value))


def at_rest(product_id) -> bool:
    """Whether what a reader gets is what the database has."""
    one = str(product_id)
    return strategy(PRODUCT).get(one) == strategy(PRODUCT).resource.load([one]).get(one)


@pytest.fixture
def costs(monkeypatch) -> Callable:
    """Exactly so many queries of the shop's databases (None: however many), and commands of the
    cache's Redis."""
    sent: list[str] = []
    execute = redis.Redis.execute_command

    def counting(self, *words, **options):
        if self.connection_pool is caches.client().connection_pool:
            sent.append(str(words[0]))
        return execute(self, *words, **options)

    monkeypatch.setattr(redis.Redis, "execute_command", counting)

    @contextmanager
    def costs(*, queries: int | None, commands: int) -> Iterator[None]:
        sent.clear()
        with (
            CaptureQueriesContext(connections["default"]) as default,
            CaptureQueriesContext(connections["catalog"]) as catalog,
        ):
            yield
        asked = [one["sql"] for one in (*default.captured_queries, *catalog.captured_queries)]
        queries = len(asked) if queries is None else queries
        assert (len(asked), len(sent)) == (queries, commands), [*asked, *sent]

    return costs
