"""All that the databases say about some orders, side by side.

What stands in the orders' own database is read in one snapshot. Stock stands in another, so what
looks wrong may only be under way: see ``services``.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from apps.catalog import facade as catalog
from apps.common.databases import execute, fetch_all
from apps.orders.audit import returns
from apps.orders.audit.returns import ReturnBooks
from apps.orders.enums import DATABASE
from apps.orders.workflows.cancellation import KIND as CANCELLATION
from apps.orders.workflows.checkout import KIND as CHECKOUT
from apps.orders.workflows.dispatching import KIND as DISPATCH
from apps.payments import facade as payments
from apps.payments.contracts import NetAmount
from apps.sagas import facade as sagas
from apps.sagas.contracts import RunState
from apps.sagas.enums import RunStatus
from apps.shipping import facade as shipping
from apps.shipping.contracts import Shipment

CHUNK = 2_000
# The sagas whose business key is an order.
KINDS = (CHECKOUT, CANCELLATION, DISPATCH, *payments.CHECKOUT_KINDS)
# A failed run is parked: its order waits for a person and may be in any state until then.
SETTLED = frozenset({RunStatus.COMPLETED.value, RunStatus.COMPENSATED.value})


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """An order with its sagas, its money by our ledger, its stock, its parcel, its returns.

    ``pieces`` is what its lines add up to, ``held`` what is reserved for it, ``sold`` what left the
    house for it; ``runs`` are those of its returns as well.
    """

    order_id: UUID
    status: str
    payment_status: str
    version: int
    total: Decimal
    currency: str
    returned_total: Decimal
    pieces: int
    runs: tuple[RunState, ...]
    money: NetAmount | None
    shipment: Shipment | None
    held: int
    sold: int
    back: ReturnBooks

    @property
    def checkout(self) -> RunState | None:
        return next((run for run in self.runs if run.kind == CHECKOUT), None)

    @property
    def ended_cancelled(self) -> bool:
        return any(
            run.kind == CANCELLATION and run.status == RunStatus.COMPLETED for run in self.runs
        )

    @property
    def is_settled(self) -> bool:
        """All its sagas ended by themselves: now everything must agree."""
        return all(run.status in SETTLED for run in self.runs)

    @property
    def is_sold(self) -> bool:
        return self.status in ("confirmed", "shipped", "delivered")


@dataclass(frozen=True, slots=True)
class Stock:
    """What the catalogue's database says of orders: pieces held, pieces sold, and what came back
    (order → product → pieces)."""

    held: Mapping[UUID, int] = field(default_factory=dict)
    sold: Mapping[UUID, int] = field(default_factory=dict)
    returned: Mapping[UUID, Mapping[UUID, int]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "Stock":
        held = dict(catalog.live_reservations_by_order())
        return cls(held, catalog.sold_stock(), catalog.returned_stock())


@contextmanager
def snapshot() -> Iterator[None]:
    """One moment of the orders' database for all reads inside."""
    with transaction.atomic(using=DATABASE):
        execute(DATABASE, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def order_ids_by_chunk() -> Iterator[list[UUID]]:
    """All orders in chunks, oldest first."""
    last = UUID(int=0)
    while rows := fetch_all(
        DATABASE, "SELECT id FROM orders_order WHERE id > %s ORDER BY id LIMIT %s", [last, CHUNK]
    ):
        yield [row[0] for row in rows]
        last = rows[-1][0]


def read_facts(order_ids: Sequence[UUID], *, stock: Stock) -> list[OrderFacts]:
    """The facts about those of ``order_ids`` that exist; call it inside ``snapshot``.

    ``stock`` was read before the snapshot began, so that what is held is held for an order that
    exists.
    """
    orders = fetch_all(
        DATABASE,
        """
        SELECT id, status, payment_status, version, total, currency, returned_total,
            coalesce(pieces, 0)
        FROM orders_order LEFT JOIN (
            SELECT order_id, sum(quantity)::bigint AS pieces FROM orders_orderline
            WHERE order_id = ANY(%s) GROUP BY order_id
        ) AS lines ON lines.order_id = orders_order.id
        WHERE id = ANY(%s) ORDER BY id
        """,
        [list(order_ids)] * 2,
    )
    back = returns.books(order_ids, stock.returned)
    runs = runs_of(order_ids)
    money = payments.net_amounts(order_ids)
    shipments = shipping.shipments(order_ids)
    return [
        OrderFacts(
            *row,
            runs=(*runs[row[0]], *back[row[0]].runs),
            money=money.get(row[0]),
            shipment=shipments.get(row[0]),
            held=stock.held.get(row[0], 0),
            sold=stock.sold.get(row[0], 0),
            back=back[row[0]],
        )
        for row in orders
    ]


def runs_of(order_ids: Sequence[UUID]) -> dict[UUID, list[RunState]]:
    """Every saga of each order, in the order of ``KINDS``; those of its returns are not its own."""
    keys = {str(order_id): order_id for order_id in order_ids}
    runs: dict[UUID, list[RunState]] = {order_id: [] for order_id in order_ids}
    for kind in KINDS:
        for key, state in sagas.states(kind=kind, business_keys=list(keys)).items():
            runs[keys[key]].append(state)
    return runs


def settled(order_ids: Sequence[UUID]) -> set[UUID]:
    """Those of ``order_ids`` that exist and on which no saga works nor waits for a person."""
    existing = fetch_all(
        DATABASE, "SELECT id FROM orders_order WHERE id = ANY(%s)", [list(order_ids)]
    )
    runs, of_returns = runs_of(order_ids), returns.runs_of(order_ids)
    return {
        order_id
        for (order_id,) in existing
        if all(run.status in SETTLED for run in [*runs[order_id], *of_returns[order_id]])
    }
