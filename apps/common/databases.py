"""Helpers for explicit SQL on a named database."""

from collections.abc import Sequence
from typing import Any

from django.db import connections, transaction


def require_atomic(alias: str) -> None:
    """Raises ``TransactionManagementError`` unless ``alias`` is inside a transaction."""
    if not connections[alias].in_atomic_block:
        raise transaction.TransactionManagementError(f"needs a transaction on '{alias}'")


def fetch_all(alias: str, sql: str, params: Sequence[Any] = ()) -> list[tuple]:
    """Runs ``sql`` on ``alias`` and returns all its rows."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def fetch_one(alias: str, sql: str, params: Sequence[Any] = ()) -> tuple | None:
    """Runs ``sql`` on ``alias`` and returns its first row, if any."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()


def execute(alias: str, sql: str, params: Sequence[Any] = ()) -> int:
    """Runs ``sql`` on ``alias`` and returns how many rows it touched."""
    with connections[alias].cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount
