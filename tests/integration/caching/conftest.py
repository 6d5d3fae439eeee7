"""A table, a resource that reads it, and a strategy over both."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import pytest
import redis

from apps.caching import connections, retrying
from apps.caching.policies import Policy, Strategy
from apps.caching.resources import Resource
from apps.caching.statistics import Statistics
from apps.caching.strategies.base import CacheStrategy
from apps.caching.strategies.kinds import KINDS
from apps.common.databases import execute, fetch_all

ALIAS = "catalog"
DECLARED = Policy(Strategy.READ_THROUGH, ttl=300.0, early=0.0)


class Table:
    """Words by name, in the database of the catalogue."""

    def __init__(self) -> None:
        self.loads: list[list[str]] = []

    def load(self, ids: Sequence[str]) -> dict[str, str]:
        self.loads.append(sorted(ids))
        rows = fetch_all(
            ALIAS, "SELECT name, word FROM caching_test WHERE name = ANY(%s::text[])", [list(ids)]
        )
        return dict(rows)

    def put(self, name: str, word: str) -> None:
        execute(
            ALIAS,
            "INSERT INTO caching_test VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET word = excluded.word",
            [name, word],
        )


@pytest.fixture
def table(transactional_db) -> Iterator[Table]:
    execute(ALIAS, "CREATE TABLE IF NOT EXISTS caching_test (name text PRIMARY KEY, word text)")
    execute(ALIAS, "TRUNCATE caching_test")
    connections.client().flushdb()
    one = Table()
    one.put("a", "old")
    yield one
    assert retrying.wait(5)
    execute(ALIAS, "DROP TABLE caching_test")
    connections.client().flushdb()


@pytest.fixture
def make(table) -> Callable[..., CacheStrategy]:
    """A strategy over the table, as declared but for the words given."""

    def make(
        policy: Policy = DECLARED, load: Callable = table.load, form: int = 1, **words
    ) -> CacheStrategy:
        policy = replace(policy, **words)
        resource = Resource(f"test.{policy.strategy}", load, policy, form=form)
        strategy = KINDS[policy.strategy](resource)
        strategy.statistics = Statistics()  # of this test alone
        return strategy

    return make


@pytest.fixture
def cached(make) -> CacheStrategy:
    return make()


@pytest.fixture
def counted() -> Callable:
    """``with counted() as commands: …`` – then ``commands()`` is how many Redis was sent."""

    @contextmanager
    def counting() -> Iterator[Callable[[], int]]:
        sent: list[str] = []
        original = redis.Redis.execute_command

        def execute_command(self, *words, **options):
            sent.append(words[0])
            return original(self, *words, **options)

        redis.Redis.execute_command = execute_command
        try:
            yield lambda: len(sent)
        finally:
            redis.Redis.execute_command = original

    return counting
