import pytest

from apps.caching.write_behind import (
    Refused,
    Version,
    backlog,
    drain,
    edits,
    flush_now,
    oldest,
    pending,
    put,
)
from tests.integration.caching.write_behind.table import change

pytestmark = pytest.mark.django_db(databases=["catalog"])


def test_changes_of_a_key_coalesce_to_the_newest_value_of_each_field(table):
    buffer = table.buffer()
    first = put(buffer, [change("k", a="1", b="1"), change("other", a="9")])
    assert put(buffer, [change("k", a="2"), change("k", a="3")]) == [(1, 3), (1, 4)]
    assert first == [Version(1, 1), Version(1, 2)]
    found = pending(buffer, ["k", "nobody"])
    assert found.keys() == {"k"}
    assert found["k"].version == (1, 4)
    assert found["k"].fields == {"a": b"3", "b": b"1"}
    assert backlog(buffer).keys == 2
    assert 0 <= backlog(buffer).oldest < 60
    assert [one.key for one, age in oldest(buffer)] == ["k", "other"]


def test_a_flush_writes_what_is_pending_and_forgets_it(table):
    buffer = table.buffer()
    put(buffer, [change(f"k{n}", a=str(n)) for n in range(1_200)])
    assert flush_now(buffer) == 1_200
    assert table.rows() == {f"k{n}": (str(n), None) for n in range(1_200)}
    assert (backlog(buffer).keys, backlog(buffer).oldest) == (0, 0.0)
    assert pending(buffer, ["k1"]) == {}
    assert flush_now(buffer) == 0


def test_what_changed_while_its_batch_was_written_stays_pending(table):
    buffer = table.buffer()
    put(buffer, [change("k", a="1")])
    table.before = lambda: put(buffer, [change("k", a="2")])
    flush_now(buffer)
    assert table.rows() == {"k": ("1", None)}
    assert pending(buffer, ["k"])["k"].version == (1, 2)
    table.before = None
    flush_now(buffer)
    assert table.rows() == {"k": ("2", None)}
    assert backlog(buffer).keys == 0


def test_drain_writes_these_keys_only(table):
    buffer = table.buffer()
    put(buffer, [change(f"k{n}", a="1") for n in range(10)])
    assert drain(buffer, ["k3", "k7", "unknown"]) == 2
    assert table.rows() == {"k3": ("1", None), "k7": ("1", None)}
    assert backlog(buffer).keys == 8
    assert drain(buffer, ["k3"]) == 0


def test_above_the_limit_new_keys_are_refused_and_known_ones_are_not(table):
    buffer = table.buffer(limit=2)
    changes = [change("k", a="1"), change("l", a="1"), change("m", a="1"), change("k", a="2")]
    assert put(buffer, changes) == [(1, 1), (1, 2), Refused.FULL, (1, 3)]
    assert backlog(buffer).keys == 2


def test_a_tombstone_takes_the_place_of_all_fields_and_goes_to_the_row(table):
    buffer = table.buffer()
    put(buffer, [change("k", a="1")])
    flush_now(buffer)
    assert put(buffer, [change("k", b="2"), change("k", deleted=True), change("k", a="3")]) == [
        *((1, 2), (1, 3)),
        Refused.DELETED,
    ]
    assert pending(buffer, ["k"])["k"].deleted
    flush_now(buffer)
    assert table.rows() == {}
    assert table.versions() == {"k": (1, 3)}


def test_the_log_says_what_came_and_from_whom(table):
    buffer = table.buffer()
    put(buffer, [change("k", a="1")], by="feed:7")
    put(buffer, [change("k", a="2", b="3")], by="staff:1")
    assert [(one.key, one.version, one.fields, one.by) for one in edits(buffer)] == [
        ("k", (1, 2), {"a": b"2", "b": b"3"}, "staff:1"),
        ("k", (1, 1), {"a": b"1"}, "feed:7"),
    ]


def test_a_worker_is_called_once_per_shard(table, sent):
    buffer = table.buffer(shards=1)
    put(buffer, [change("k", a="1")])
    put(buffer, [change("l", a="1")])
    assert sent == [(buffer.name, 0)]


def test_a_field_that_looks_like_the_versions_is_a_programming_error(table):
    with pytest.raises(ValueError, match="may not be called"):
        put(table.buffer(), [change("k", **{":e": "9"})])


def test_a_field_keeps_the_version_it_came_with(table):
    buffer = table.buffer()
    put(buffer, [change("k", a="1", b="1"), change("k", b="2"), change("k", b="3")])
    one = pending(buffer, ["k"])["k"]
    assert (one.version, one.older) == ((1, 3), {"a": (1, 1)})
    assert one.beyond((0, 9)) == {"a": b"1", "b": b"3"}
    assert one.beyond((1, 1)) == one.beyond((1, 2)) == {"b": b"3"}
    assert one.beyond((1, 3)) == {}
    put(buffer, [change("k", a="4")])
    one = pending(buffer, ["k"])["k"]
    assert (one.fields, one.older) == ({"a": b"4", "b": b"3"}, {"b": (1, 3)})


def test_what_a_row_has_already_is_not_pending_for_it_any_more(table):
    """Of one version for all fields, too."""
    buffer = table.buffer()
    put(buffer, [change("k", a="1", b="1")])
    one = pending(buffer, ["k"])["k"]
    assert one.beyond((1, 0)) == {"a": b"1", "b": b"1"}
    assert one.beyond((1, 1)) == one.beyond((2, 0)) == {}
