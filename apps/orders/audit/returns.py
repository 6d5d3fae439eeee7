"""All that the databases say about what came back of some orders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from apps.common.databases import fetch_all
from apps.orders.enums import DATABASE
from apps.orders.workflows.returning import KIND
from apps.payments import facade as payments
from apps.sagas import facade as sagas
from apps.sagas.contracts import RunState


@dataclass(frozen=True, slots=True)
class ReturnFacts:
    """A return with its saga and the refunds that our ledger has under its name."""

    return_id: UUID
    status: str
    amount: Decimal
    run: RunState | None
    refunds: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class ReturnBooks:
    """What came back of an order.

    ``stray`` are refunds under the name of no return, ``overdrawn`` counts lines of which more came
    back than was sold. ``shelf`` is what completed returns put there (product → pieces),
    ``restocked`` the same by the stock ledger.
    """

    returns: tuple[ReturnFacts, ...] = ()
    stray: tuple[Decimal, ...] = ()
    overdrawn: int = 0
    shelf: Mapping[UUID, int] | None = None
    restocked: Mapping[UUID, int] | None = None

    @property
    def refunded(self) -> Decimal:
        """What the completed ones gave back."""
        return sum((one.amount for one in self.returns if one.status == "completed"), Decimal(0))

    @property
    def runs(self) -> tuple[RunState, ...]:
        return tuple(one.run for one in self.returns if one.run)


def books(
    order_ids: Sequence[UUID], restocked: Mapping[UUID, Mapping[UUID, int]]
) -> dict[UUID, ReturnBooks]:
    """What came back of each of ``order_ids``; ``restocked`` is the stock ledger's word."""
    rows = _rows(order_ids)
    runs = _runs([return_id for return_id, *_ in rows])
    refunds = {
        (order_id, one.refund_id): one.amount.amount
        for order_id, all_ in payments.find_refunds(order_ids).items()
        for one in all_
        if one.state == "succeeded"
    }
    returns: dict[UUID, list[ReturnFacts]] = {}
    for return_id, order_id, status, amount in rows:
        refund = refunds.pop((order_id, return_id), None)
        facts = (return_id, status, amount, runs.get(return_id))
        one = ReturnFacts(*facts, () if refund is None else (refund,))
        returns.setdefault(order_id, []).append(one)
    stray: dict[UUID, list[Decimal]] = {}
    for (order_id, _), amount in refunds.items():
        stray.setdefault(order_id, []).append(amount)
    shelf, overdrawn = _lines(list(returns)) if returns else ({}, {})
    return {
        order_id: ReturnBooks(
            tuple(returns.get(order_id, ())),
            tuple(stray.get(order_id, ())),
            overdrawn.get(order_id, 0),
            shelf.get(order_id, {}),
            restocked.get(order_id, {}),
        )
        for order_id in order_ids
    }


def runs_of(order_ids: Sequence[UUID]) -> dict[UUID, list[RunState]]:
    """The sagas of each order's returns."""
    rows = _rows(order_ids)
    runs = _runs([return_id for return_id, *_ in rows])
    found: dict[UUID, list[RunState]] = {order_id: [] for order_id in order_ids}
    for return_id, order_id, *_ in rows:
        if run := runs.get(return_id):
            found[order_id].append(run)
    return found


def _rows(order_ids: Sequence[UUID]) -> list[tuple]:
    return fetch_all(
        DATABASE,
        "SELECT id, order_id, status, amount FROM orders_orderreturn WHERE order_id = ANY(%s)"
        " ORDER BY id",
        [list(order_ids)],
    )


def _runs(return_ids: Sequence[UUID]) -> dict[UUID, RunState]:
    if not return_ids:
        return {}
    states = sagas.states(kind=KIND, business_keys=[str(one) for one in return_ids])
    return {UUID(key): state for key, state in states.items()}


def _lines(order_ids: Sequence[UUID]) -> tuple[dict[UUID, dict[UUID, int]], dict[UUID, int]]:
    """By order: the pieces on the shelf by product, and how many lines came back too often."""
    shelf: dict[UUID, dict[UUID, int]] = {}
    overdrawn: dict[UUID, int] = {}
    for order_id, product_id, pieces, too_often in fetch_all(
        DATABASE,
        """
        SELECT order_id, product_id, sum(shelf)::bigint, count(*) FILTER (WHERE taken > quantity)
        FROM (
            SELECT sold.order_id, sold.product_id, sold.quantity, sum(back.quantity) AS taken,
                   coalesce(sum(back.quantity)
                            FILTER (WHERE back.restock AND r.status = 'completed'), 0) AS shelf
            FROM orders_orderreturn r
            JOIN orders_orderreturnline back ON back.order_return_id = r.id
            JOIN orders_orderline sold ON sold.id = back.order_line_id
            WHERE r.order_id = ANY(%s) AND r.status <> 'refused'
            GROUP BY sold.id
        ) AS lines GROUP BY order_id, product_id
        """,
        [list(order_ids)],
    ):
        if pieces:
            shelf.setdefault(order_id, {})[product_id] = pieces
        if too_often:
            overdrawn[order_id] = overdrawn.get(order_id, 0) + too_often
    return shelf, overdrawn
