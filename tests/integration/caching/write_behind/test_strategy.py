"""A resource whose edits wait in the durable Redis: readers see them before the database does."""

from collections.abc import Iterator, Sequence

import pytest

from apps.caching import connections
from apps.caching.keys import Key
from apps.caching.policies import Policy, Strategy
from apps.caching.resources import Resource, register_resources
from apps.caching.strategies.kinds import WriteBehind
from apps.caching.write_behind import Pending, Refused, flush_now
from apps.common.databases import execute
from tests.integration.caching.write_behind.table import ALIAS, Table, change

pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS])
BEHIND = Policy(Strategy.WRITE_BEHIND)


@pytest.fixture
def things(table) -> Iterator[WriteBehind]:
    def load(ids: Sequence[str]) -> dict[str, str]:
        return {key: a for key, (a, _) in table.rows().items() if key in ids}

    yield WriteBehind(Resource(table.name, load, BEHIND, buffer=table.buffer(), merge=merged))
    execute(ALIAS, "TRUNCATE behind_thing")  # committed, unlike in the other tests


def merged(value: str | None, pending: Pending) -> str | None:
    return None if pending.deleted else pending.fields.get("a", b"").decode() or value


def kept(things: WriteBehind, key: str) -> bool:
    return bool(connections.client().exists(Key(things.resource.name, key).value))


def test_an_edit_is_seen_at_once_and_written_later(things, table: Table):
    assert things.get("x") is None
    things.put([change("x", a="1")])
    assert (things.get("x"), kept(things, "x"), table.rows()) == ("1", True, {})
    things.put([change("x", a="2"), change("y", a="3")])
    assert things.get_many(["x", "y", "z"]) == {"x": "2", "y": "3", "z": None}

    flush_now(things.resource.buffer)
    assert table.rows() == {"x": ("2", None), "y": ("3", None)}
    assert things.get_many(["x", "y"]) == {"x": "2", "y": "3"}
    things.put([change("x", deleted=True)])
    assert things.get("x") is None


def test_while_nobody_knows_what_waits_rows_are_served_and_not_kept(things, table, settings):
    things.put([change("x", a="1")])
    known, settings.QUEUE_REDIS_URL = settings.QUEUE_REDIS_URL, "unix:///nowhere?db=0"
    assert things.get("x") is None
    assert not kept(things, "x")
    assert things.put([change("x", a="2")]) == [Refused.AWAY]
    settings.QUEUE_REDIS_URL = known


def test_such_a_resource_says_where_its_edits_wait(table):
    with pytest.raises(ValueError, match="nowhere to write behind"):
        register_resources([Resource(f"{table.name}.lost", dict, BEHIND)])
