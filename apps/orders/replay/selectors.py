"""Reads of what a file's orders became."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from apps.common.databases import fetch_all
from apps.orders.enums import DATABASE
from apps.orders.workflows.checkout import KIND
from apps.payments import facade as payments
from apps.sagas import facade as sagas
from apps.sagas.enums import TERMINAL

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
    for start in range(0, len(references), CHUNK):
        chunk = list(references[start : start + CHUNK])
        rows = fetch_all(
            DATABASE, "SELECT id FROM orders_order WHERE external_reference = ANY(%s)", [chunk]
        )
        ids += (row[0] for row in rows)
    return sorted(ids)


def ended_sagas(order_ids: Sequence[UUID]) -> dict[UUID, str]:
    """In which status the checkouts of these orders ended; those under way are left out."""
    keys = {str(order_id): order_id for order_id in order_ids}
    states = sagas.states(kind=KIND, business_keys=list(keys))
    return {keys[key]: state.status for key, state in states.items() if state.status in TERMINAL}


def captured_pence(order_ids: Sequence[UUID]) -> int:
    """The money kept for these orders by the payment ledger: captured less refunded."""
    pence = Decimal(0)
    for start in range(0, len(order_ids), CHUNK):
        kept = payments.net_amounts(order_ids[start : start + CHUNK])
        pence += sum(one.net.amount for one in kept.values()) * 100
    return int(pence)
