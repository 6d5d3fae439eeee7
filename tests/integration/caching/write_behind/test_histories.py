"""Whatever comes in whatever order: after a drain the database has the newest values."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.caching.write_behind import Refused, backlog, drain, flush, flush_now, put
from apps.caching.write_behind.connections import client
from apps.caching.write_behind.layout import base
from apps.common.databases import execute
from tests.integration.caching.write_behind.table import ALIAS, Table, change

pytestmark = pytest.mark.django_db(databases=["catalog"])
KEYS = ["k", "l", "m"]
keys = st.sampled_from(KEYS)
moves = st.lists(
    st.one_of(
        st.tuples(st.just("put"), keys, st.sampled_from("ab"), st.integers(0, 9).map(str)),
        st.tuples(st.just("delete"), keys),
        st.tuples(st.just("drain"), keys),
        st.tuples(st.just("flush"), st.integers(0, 1)),
        st.tuples(st.just("restart")),
        # Put while a batch is being written.
        st.tuples(st.just("late"), keys, st.sampled_from("ab"), st.integers(0, 9).map(str)),
    ),
    max_size=25,
)


class History:
    """What the buffer is told, and what the rows must be in the end."""

    def __init__(self, table: Table):
        self.table, self.buffer = table, table.buffer(shards=2)
        self.rows: dict[str, dict[str, str]] = {}
        self.versions: dict[str, tuple[int, int]] = {}

    def put(self, key: str, name: str, value: str) -> None:
        if put(self.buffer, [change(key, **{name: value})]) != [Refused.DELETED]:
            self.rows.setdefault(key, {})[name] = value

    def delete(self, key: str) -> None:
        put(self.buffer, [change(key, deleted=True)])
        self.rows.pop(key, None)

    def drain(self, key: str) -> None:
        drain(self.buffer, [key])

    def flush(self, shard: int) -> None:
        flush(self.buffer, shard)

    def restart(self) -> None:
        client().hset(f"{base(self.buffer)}m", "run", "another")

    def late(self, *words: str) -> None:
        def once() -> None:
            self.table.before = None
            self.put(*words)

        self.table.before = once
        flush_now(self.buffer)
        self.table.before = None

    def check(self) -> None:
        versions = self.table.versions()
        assert all(versions[key] >= old for key, old in self.versions.items())
        self.versions = versions


@given(moves=moves)
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_after_a_drain_the_database_has_the_newest_values(table, moves):
    execute(ALIAS, "TRUNCATE behind_thing")
    for key in client().scan_iter(f"{base(table.buffer())}*"):
        client().delete(key)
    history = History(table)
    for name, *words in moves:
        getattr(history, name)(*words)
        history.check()
    drain(history.buffer, KEYS)
    history.check()
    assert table.rows() == {key: (row.get("a"), row.get("b")) for key, row in history.rows.items()}
    assert backlog(history.buffer).keys == 0
