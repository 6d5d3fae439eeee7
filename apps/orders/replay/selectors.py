"""Reads of what a file's orders became."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TypeVar
from uuid import UUID

from apps.common.databases import fetch_all
from apps.orders.enums import DATABASE
from apps.orders.workflows.checkout import KIND as CHECKOUT
from apps.payments import facade as payments
from apps.sagas import facade as sagas
from apps.sagas.enums import TERMINAL

T = TypeVar("T")
CHUNK = 5_000


def known_references(references: Sequence[str]) -> set[str]:
    """Those of ``references`` for which there is an order."""
    return {
        row[0]
        for row in fetch_all(
            DATABASE,
            "SELECT external_reference FROM orders_order WHERE external_reference = ANY(%s)",
            [list(references)],
        )
    }


def order_ids(references: Sequence[str]) -> list[UUID]:
    """The orders of ``references`` that exist, in the order of their acceptance."""
    ids: list[UUID] = []
    for chunk in _chunks(references):
        rows = fetch_all(
            DATABASE,
            "SELECT id FROM orders_order WHERE external_reference = ANY(%s)",
            [list(chunk)],
        )
        ids += (row[0] for row in rows)
    return sorted(ids)


def sold_orders(references: Sequence[str]) -> dict[str, UUID]:
    """Those of ``references`` whose orders were sold: reference → order."""
    sold: dict[str, UUID] = {}
    for chunk in _chunks(references):
        sold |= fetch_all(
            DATABASE,
            "SELECT external_reference, id FROM orders_order WHERE external_reference = ANY(%s)"
            " AND status IN ('confirmed', 'shipped', 'delivered')",
            [list(chunk)],
        )
    return sold


def not_shipped(order_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the orders that have not left the house, oldest first."""
    ids: list[UUID] = []
    for chunk in _chunks(order_ids):
        rows = fetch_all(
            DATABASE,
            "SELECT id FROM orders_order WHERE id = ANY(%s) AND status = 'confirmed'",
            [list(chunk)],
        )
        ids += (row[0] for row in rows)
    return sorted(ids)


def returns_of(references: Sequence[str]) -> dict[UUID, Decimal]:
    """The returns of ``references`` that exist: return → amount."""
    found: dict[UUID, Decimal] = {}
    for chunk in _chunks(references):
        found |= fetch_all(
            DATABASE,
            "SELECT id, amount FROM orders_orderreturn WHERE external_reference = ANY(%s)",
            [list(chunk)],
        )
    return found


def ended_sagas(keys: Sequence[UUID], kind: str = CHECKOUT) -> dict[UUID, str]:
    """In which status the sagas of ``kind`` of these orders (or returns) ended; those under way
    are left out."""
    texts = {str(key): key for key in keys}
    states = sagas.states(kind=kind, business_keys=list(texts))
    return {texts[key]: state.status for key, state in states.items() if state.status in TERMINAL}


def money_of(order_ids: Sequence[UUID]) -> tuple[int, int]:
    """What was captured for these orders and kept, and what was given back for their returns, in
    pence; a payment that was undone altogether counts in neither."""
    kept = returned = Decimal(0)
    for chunk in _chunks(order_ids):
        kept += sum(one.net.amount for one in payments.net_amounts(chunk).values())
        [(sum_,)] = fetch_all(
            DATABASE,
            "SELECT coalesce(sum(returned_total), 0) FROM orders_order WHERE id = ANY(%s)",
            [list(chunk)],
        )
        returned += sum_
    return int(kept * 100), int(returned * 100)


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
