"""Explicit SQL: joined writes, prepared statements, and connections whose server went away."""

import psycopg
import pytest
from django.db import IntegrityError, connections, transaction
from django.test.utils import CaptureQueriesContext

from apps.common.databases import execute, fetch_all, fetch_one, together, write
from apps.common.postgresql.base import is_quiet

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])

ROW = """
    INSERT INTO messaging_deadletter (consumer, event_id, topic, body, headers, reason, error)
    VALUES (%s, gen_random_uuid(), '', '', '{}', '', '')
"""


def consumers() -> list[str]:
    sql = "SELECT consumer FROM messaging_deadletter ORDER BY consumer"
    return [name for [name] in fetch_all("orders", sql)]


def test_joined_writes_are_one_statement_and_all_there():
    captured = CaptureQueriesContext(connections["orders"])
    with captured as queries, transaction.atomic(using="orders"), together("orders"):
        for name in ("a", "b", "c"):
            write("orders", ROW, [name])
        assert consumers() == []  # nothing of the block is seen in it
    assert len([one for one in queries if "INSERT" in one["sql"]]) == 1
    assert consumers() == ["a", "b", "c"]


def test_a_block_that_fails_writes_nothing():
    failing = pytest.raises(ZeroDivisionError)
    with failing, transaction.atomic(using="orders"), together("orders"):
        write("orders", ROW, ["a"])
        raise ZeroDivisionError
    assert consumers() == []


def test_one_bad_write_takes_the_others_along():
    with pytest.raises(IntegrityError), transaction.atomic(using="orders"), together("orders"):
        write("orders", ROW, ["a"])
        write("orders", ROW, [None])
    assert consumers() == []


def test_what_a_savepoint_takes_back_does_not_wait_for_the_end_of_the_block():
    with transaction.atomic(using="orders"), together("orders"):
        write("orders", ROW, ["kept"])
        with pytest.raises(ZeroDivisionError), transaction.atomic(using="orders"):
            write("orders", ROW, ["taken back"])
            raise ZeroDivisionError
    assert consumers() == ["kept"]


def test_outside_of_a_block_a_write_is_written_at_once():
    with transaction.atomic(using="orders"):
        write("orders", ROW, ["a"])
        assert consumers() == ["a"]


def test_joining_needs_a_transaction():
    with pytest.raises(transaction.TransactionManagementError), together("orders"):
        pass


def test_a_prepared_statement_is_parsed_once_for_each_connection():
    for number in range(3):
        sql = "SELECT %s::int + 1 AS parsed_once"
        assert fetch_one("orders", sql, [number], prepared=True) == (number + 1,)
    sql = "SELECT generic_plans + custom_plans FROM pg_prepared_statements WHERE statement LIKE %s"
    assert fetch_one("orders", sql, ["%parsed_once%"]) == (3,)


def thrown_out(connection: psycopg.Connection) -> None:
    """Ends the session of ``connection`` from outside and waits until it shows."""
    pid = connection.info.backend_pid
    with psycopg.connect(connection.info.dsn, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def test_a_connection_that_was_thrown_out_is_seen_without_asking():
    execute("orders", "SELECT 1")
    kept = connections["orders"].connection
    assert is_quiet(kept)
    thrown_out(kept)
    assert not is_quiet(kept)
    assert not connections["orders"].is_usable()
    connections["orders"].close()


@pytest.fixture
def pooled():
    """A wrapper of ``orders`` with a pool of two, as the web has one."""
    settings = connections["orders"].settings_dict
    options = settings["OPTIONS"] | {"pool": {"min_size": 2, "max_size": 2, "timeout": 5}}
    wrapper = type(connections["orders"])(
        settings | {"OPTIONS": options, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False},
        alias="orders",
    )
    yield wrapper
    wrapper.close()
    wrapper.close_pool()


def test_the_pool_gives_no_connection_away_that_was_thrown_out(pooled):
    pooled.ensure_connection()
    pooled.close()
    pooled.pool.wait(10)
    for kept in list(pooled.pool._pool):  # both, as when the server restarts
        thrown_out(kept)
    with pooled.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
