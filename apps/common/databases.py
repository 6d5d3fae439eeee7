"""Helpers for explicit SQL on a named database."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import InterfaceError, OperationalError, connections, transaction

# Connection, rollback, resources, lock not available, operator intervention.
PASSING = ("08", "40", "53", "55P03", "57P")


def require_atomic(alias: str) -> None:
    """Raises ``TransactionManagementError`` unless ``alias`` is inside a transaction."""
    if not connections[alias].in_atomic_block:
        raise transaction.TransactionManagementError(f"needs a transaction on '{alias}'")


def in_transaction() -> bool:
    """Whether this thread is inside a transaction on any database."""
    return any(one.in_atomic_block for one in connections.all(initialized_only=True))


def discard_connections() -> None:
    """Closes this thread's connections in whatever state they are; their transactions are rolled
    back, and the next use opens new ones."""
    for connection in connections.all(initialized_only=True):
        connection.discard()


def is_passing(error: BaseException) -> bool:
    """Whether a database raised ``error`` for a reason that is none of the statement's own and
    passes by itself: it is away or overloaded, or somebody else's transaction was in the way."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate is None or sqlstate.startswith(PASSING)


def fetch_all(
    alias: str, sql: str, params: Sequence[Any] = (), *, prepared: bool = False
) -> list[tuple]:
    """Runs ``sql`` on ``alias`` and returns all its rows.

    ``prepared``, here and below, is for constant text that runs often: it is parsed and planned
    once per connection, and its parameters are bound by the server, which must know their types.
    """
    with _cursor(alias, prepared) as cursor:
        cursor.execute(sql, _bound(params))
        return cursor.fetchall()


def fetch_one(
    alias: str, sql: str, params: Sequence[Any] = (), *, prepared: bool = False
) -> tuple | None:
    """Runs ``sql`` on ``alias`` and returns its first row, if any."""
    with _cursor(alias, prepared) as cursor:
        cursor.execute(sql, _bound(params))
        return cursor.fetchone()


def execute(alias: str, sql: str, params: Sequence[Any] = (), *, prepared: bool = False) -> int:
    """Runs ``sql`` on ``alias`` and returns how many rows it touched."""
    with _cursor(alias, prepared) as cursor:
        cursor.execute(sql, _bound(params))
        return cursor.rowcount


def _cursor(alias: str, prepared: bool):
    connection = connections[alias]
    return connection.prepared_cursor() if prepared else connection.cursor()


def _bound(params: Sequence[Any]) -> list[Any]:
    return [array(one) if isinstance(one, list) else one for one in params]


def array(values: Sequence[Any]) -> str:
    """``values`` as the text of a PostgreSQL array, ``{"a","b",NULL}``: several times quicker for
    large sets than the driver's own arrays. Its type is that of the place it stands at, or a cast.
    """
    kinds = set(map(type, values))
    if kinds == {UUID}:
        elements = [value.hex for value in values]
    elif kinds == {int}:
        elements = map(str, values)
    else:
        elements = map(_element, values)
    return "{" + ",".join(elements) + "}"


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    text = str(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


@dataclass(slots=True)
class _Joined:
    """Writes that wait for the end of their ``together``."""

    alias: str
    savepoints: tuple[str, ...]
    statements: list[str] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)


_joined: ContextVar[_Joined | None] = ContextVar("joined", default=None)


@contextmanager
def together(alias: str) -> Iterator[None]:
    """Joins all ``write``s on ``alias`` in the block into one prepared statement at its end.

    They do not see each other's rows, and nothing in the block sees them; their errors come at
    the end. For a fixed set of writes of new rows: each other set is a statement of its own.
    """
    require_atomic(alias)
    joined = _Joined(alias, tuple(connections[alias].savepoint_ids))
    token = _joined.set(joined)
    try:
        yield
    finally:
        _joined.reset(token)
    if joined.statements:
        execute(alias, _join(tuple(joined.statements)), joined.params, prepared=True)


def write(alias: str, sql: str, params: Sequence[Any], *, prepared: bool = False) -> None:
    """Runs an INSERT, UPDATE or DELETE of which nobody needs to know how many rows it touched:
    at once, or inside ``together`` with the others of that block (always prepared)."""
    joined = _joined.get()
    # What a savepoint may take back must not wait for longer than the savepoint.
    if (
        joined is None
        or joined.alias != alias
        or joined.savepoints != tuple(connections[alias].savepoint_ids)
    ):
        execute(alias, sql, params, prepared=prepared)
        return
    joined.statements.append(sql)
    joined.params += params


@lru_cache(maxsize=64)
def _join(statements: tuple[str, ...]) -> str:
    if len(statements) == 1:
        return statements[0]
    parts = ", ".join(f"part_{n} AS ({sql})" for n, sql in enumerate(statements))
    return f"WITH {parts} SELECT"
