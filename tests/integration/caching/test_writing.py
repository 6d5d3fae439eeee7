"""Around a write nobody fills, and once its transaction is over, one way or the other, they may."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from django.db import OperationalError, connections, transaction

from apps.caching import connections as redises
from apps.caching.changing import changing
from apps.caching.keys import Key
from apps.caching.policies import Strategy
from tests.integration.caching.conftest import ALIAS

pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS])


def writers(cached, one: str = "a") -> int:
    """How many are at work on it."""
    return redises.client().zcard(Key(cached.resource.name, one).writers)


def is_kept(cached, one: str = "a") -> bool:
    return bool(redises.client().exists(Key(cached.resource.name, one).value))


def test_around_a_transaction_readers_see_what_is_committed_and_keep_nothing(cached, table):
    cached.get("a")
    with cached.writing(ALIAS, ["a"]):
        assert not is_kept(cached)
        assert (cached.get("a"), writers(cached), is_kept(cached)) == ("old", 1, False)
        with transaction.atomic(using=ALIAS):
            table.put("a", "new")
        assert (cached.get("a"), is_kept(cached)) == ("new", False)
    assert (cached.get("a"), writers(cached), is_kept(cached)) == ("new", 0, True)


def test_inside_a_transaction_it_lasts_until_the_commit(cached, table):
    with transaction.atomic(using=ALIAS):
        with cached.writing(ALIAS, ["a"]):
            table.put("a", "new")
        assert writers(cached) == 1
    assert writers(cached) == 0
    assert cached.get("a") == "new"


def test_a_rollback_ends_it_whoever_began_the_transaction(cached, table):
    with pytest.raises(ZeroDivisionError), transaction.atomic(using=ALIAS):
        with cached.writing(ALIAS, ["a"]):
            table.put("a", "new")
        assert writers(cached) == 1
        raise ZeroDivisionError
    assert writers(cached) == 0
    assert (cached.get("a"), is_kept(cached)) == ("old", True)


def test_a_rollback_to_a_savepoint_ends_it(cached, table):
    with transaction.atomic(using=ALIAS):
        with pytest.raises(ZeroDivisionError), transaction.atomic(using=ALIAS):
            with cached.writing(ALIAS, ["a"]):
                table.put("a", "new")
            raise ZeroDivisionError
        assert writers(cached) == 0


def test_an_error_that_is_caught_inside_the_transaction_does_not_end_it(cached, table):
    with transaction.atomic(using=ALIAS):
        with pytest.raises(ZeroDivisionError), cached.writing(ALIAS, ["a"]):
            table.put("a", "new")
            raise ZeroDivisionError
        assert writers(cached) == 1  # what was written may yet be committed
    assert writers(cached) == 0
    assert cached.get("a") == "new"


def test_an_error_around_a_transaction_ends_it_at_once(cached):
    with pytest.raises(ZeroDivisionError), cached.writing(ALIAS, ["a"]):
        raise ZeroDivisionError
    assert writers(cached) == 0


@pytest.fixture
def lost_commit(monkeypatch) -> Iterator[None]:
    """COMMIT is sent, and the connection lost before its answer."""

    def commit():
        connections[ALIAS].connection.close()
        with connections[ALIAS].wrap_database_errors:
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(connections[ALIAS], "_commit", commit)
    yield
    connections[ALIAS].close()


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "around"])
def test_after_a_commit_without_an_answer_readers_stay_with_the_database(
    cached, table, lost_commit, inside
):
    """It may be committed a moment later: the entry ends when no transaction can be that old."""
    cached.get("a")
    bracket = [cached.writing(ALIAS, ["a"]), transaction.atomic(using=ALIAS)]
    with pytest.raises(OperationalError), ExitStack() as stack:
        for one in reversed(bracket) if inside else bracket:
            stack.enter_context(one)
        table.put("a", "new")
    connections[ALIAS].close()
    assert writers(cached) == 1
    cached.get("a")
    assert not is_kept(cached)


@pytest.mark.parametrize("inside", [True, False], ids=["inside", "around"])
def test_what_fails_after_the_commit_does_not_fail_the_write(make, table, inside):
    def failing(ids):
        raise RuntimeError("no database")

    cached = make(strategy=Strategy.WRITE_THROUGH, load=failing)
    bracket = [cached.writing(ALIAS, ["a"]), transaction.atomic(using=ALIAS)]
    with ExitStack() as stack:
        for one in reversed(bracket) if inside else bracket:
            stack.enter_context(one)
        table.put("a", "new")
    assert (table.load(["a"]), writers(cached)) == ({"a": "new"}, 0)


def test_a_write_touches_keys_as_it_learns_of_them(cached, table):
    with changing(ALIAS) as changes, transaction.atomic(using=ALIAS):
        changes.touch([Key(cached.resource.name, "a")])
        table.put("a", "new")
        changes.touch([Key(cached.resource.name, "b")])
        assert (writers(cached), writers(cached, "b")) == (1, 1)
    assert (writers(cached), writers(cached, "b")) == (0, 0)


def test_a_write_needs_a_transaction_to_be_fenced_off_in(cached):
    with pytest.raises(transaction.TransactionManagementError):
        cached.fence_off(ALIAS, ["a"])


def test_thousands_of_ids_are_fenced_off_in_sets(cached, counted):
    ids = [f"n{n}" for n in range(1_200)]
    with counted() as commands, cached.writing(ALIAS, ids):
        assert commands() == 3
        assert writers(cached, "n1199") == 1
    assert writers(cached, "n1199") == 0


def test_dropping_by_hand_ends_a_fill_under_way(make, table):
    def slow(ids):
        found = table.load(ids)
        if len(table.loads) == 1:
            table.put("a", "new")
            make().drop(["a"])
        return found

    cached = make(load=slow)
    assert [cached.get("a"), cached.get("a")] == ["old", "new"]
