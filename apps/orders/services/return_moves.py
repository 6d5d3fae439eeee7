"""Set SQL about returns, in the caller's transaction. Orders are locked before their returns."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from apps.common.databases import execute, fetch_all, require_atomic
from apps.orders import events
from apps.orders.enums import DATABASE, ReturnStatus
from apps.orders.event_contracts import ReturnedLine
from apps.orders.events import Moved
from apps.orders.locks import lock_orders
from apps.orders.models import Order
from apps.orders.services.return_rules import Books, SoldLine, Taken
from apps.payments import facade as payments


@dataclass(frozen=True, slots=True)
class NewReturn:
    """A return about to be written."""

    return_id: UUID
    order_id: UUID
    status: ReturnStatus
    reason: str
    taken: Taken
    asked_by: str
    external_reference: str | None
    saga_id: UUID | None


def read_books(orders: Mapping[UUID, Order]) -> dict[UUID, Books]:
    """What each of these locked orders may still give back."""
    ids = list(orders)
    lines: dict[UUID, dict[int, SoldLine]] = {order_id: {} for order_id in ids}
    for order_id, position, *line in fetch_all(
        DATABASE,
        """
        SELECT sold.order_id, sold.position, sold.id, sold.unit_price, sold.quantity,
               sold.quantity - coalesce((
                   SELECT sum(back.quantity) FROM orders_orderreturnline back
                   JOIN orders_orderreturn r ON r.id = back.order_return_id
                   WHERE back.order_line_id = sold.id AND r.status <> 'refused'), 0)::bigint
        FROM orders_orderline sold WHERE sold.order_id = ANY(%s)
        """,
        [ids],
    ):
        lines[order_id][position] = SoldLine(*line)
    promised = dict(
        fetch_all(
            DATABASE,
            "SELECT order_id, sum(amount) FROM orders_orderreturn"
            " WHERE order_id = ANY(%s) AND status <> 'refused' GROUP BY order_id",
            [ids],
        )
    )
    money = payments.net_amounts(ids)
    return {
        order_id: Books(
            order_id,
            order.status,
            order.currency,
            (money[order_id].captured.amount if order_id in money else Decimal(0))
            - promised.get(order_id, Decimal(0)),
            lines[order_id],
        )
        for order_id, order in orders.items()
    }


def returns_insert(new: Sequence[NewReturn]) -> None:
    """Writes the returns with their lines; each order moves on by one version."""
    require_atomic(DATABASE)
    execute(
        DATABASE,
        """
        INSERT INTO orders_orderreturn (id, order_id, status, version, reason, goods_total, amount,
            asked_by, external_reference, saga_id)
        SELECT id, order_id, status, 1, reason, goods_total, amount, asked_by, external_reference,
            saga_id
        FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::numeric[], %s::numeric[],
                %s::text[], %s::text[], %s::uuid[])
            AS new(id, order_id, status, reason, goods_total, amount, asked_by, external_reference,
                   saga_id)
        """,
        [
            [one.return_id for one in new],
            [one.order_id for one in new],
            [one.status.value for one in new],
            [one.reason for one in new],
            [one.taken.goods_total for one in new],
            [one.taken.amount for one in new],
            [one.asked_by for one in new],
            [one.external_reference for one in new],
            [one.saga_id for one in new],
        ],
    )
    lines = [(one.return_id, *key, n) for one in new for key, n in one.taken.pieces.items()]
    if lines:
        execute(
            DATABASE,
            """
            INSERT INTO orders_orderreturnline (order_return_id, order_line_id, restock, quantity)
            SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bool[], %s::int[])
            """,
            [list(column) for column in zip(*lines, strict=True)],
        )
    execute(
        DATABASE,
        "UPDATE orders_order SET version = version + 1, updated_at = clock_timestamp()"
        " WHERE id = ANY(%s)",
        [[one.order_id for one in new]],
    )


def returns_refuse(reasons: Mapping[UUID, str], *, before: ReturnStatus) -> dict[UUID, int]:
    """``before`` → refused for its reason: what it took can be taken again. Their new versions."""
    require_atomic(DATABASE)
    rows = fetch_all(
        DATABASE,
        """
        UPDATE orders_orderreturn SET status = 'refused', refusal = new.reason,
            version = version + 1, ended_at = clock_timestamp()
        FROM unnest(%s::uuid[], %s::text[]) AS new(id, reason)
        WHERE orders_orderreturn.id = new.id AND status = %s
        RETURNING orders_orderreturn.id, version
        """,
        [list(reasons), [reason[:60] for reason in reasons.values()], before.value],
    )
    return dict(rows)


def returns_complete(orders: Mapping[UUID, UUID], correlation_ids: Mapping[UUID, str]) -> None:
    """in_progress → completed for returns (return → order), with ``returned_total`` and event."""
    require_atomic(DATABASE)
    lock_orders(set(orders.values()))
    done = fetch_all(
        DATABASE,
        """
        UPDATE orders_orderreturn SET status = 'completed', version = version + 1,
            ended_at = clock_timestamp()
        WHERE id = ANY(%s) AND status = 'in_progress' RETURNING id, order_id, amount
        """,
        [list(orders)],
    )
    if not done:
        return
    counts = Counter(order_id for _, order_id, _ in done)
    sums = dict.fromkeys(counts, Decimal(0))
    for _, order_id, amount in done:
        sums[order_id] += amount
    moved = fetch_all(
        DATABASE,
        f"""
        UPDATE orders_order SET returned_total = returned_total + new.amount,
            version = version + new.events, updated_at = clock_timestamp()
        FROM unnest(%s::uuid[], %s::numeric[], %s::int[]) AS new(id, amount, events)
        WHERE orders_order.id = new.id
        RETURNING returned_total, {Moved.COLUMNS}
        """,
        [list(counts), [sums[one] for one in counts], list(counts.values())],
    )
    orders = {one[1]: (Moved(*one[1:]), one[0]) for one in moved}
    lines = _event_lines([return_id for return_id, *_ in done])
    returned = []
    # From the last one back: the order's version and sum are those after all of them.
    for return_id, order_id, amount in sorted(done, reverse=True):
        order, total = orders[order_id]
        returned.append((order, return_id, amount, total, lines.get(return_id, [])))
        orders[order_id] = (order._replace(version=order.version - 1), total - amount)
    events.orders_returned(reversed(returned), correlation_ids)


def _event_lines(return_ids: Sequence[UUID]) -> dict[UUID, list[ReturnedLine]]:
    lines: dict[UUID, list[ReturnedLine]] = {}
    for return_id, *line in fetch_all(
        DATABASE,
        """
        SELECT back.order_return_id, sold.product_id, sold.sku, sold.name, sold.unit_price,
               back.quantity, back.restock
        FROM orders_orderreturnline back JOIN orders_orderline sold ON sold.id = back.order_line_id
        WHERE back.order_return_id = ANY(%s) ORDER BY sold.position, back.restock
        """,
        [list(return_ids)],
    ):
        lines.setdefault(return_id, []).append(ReturnedLine(*line))
    return lines


def sellable_pieces(return_ids: Collection[UUID]) -> dict[UUID, list[tuple[UUID, int]]]:
    """What of each return goes back onto the shelf: (product, pieces), in the products' order."""
    pieces: dict[UUID, list[tuple[UUID, int]]] = {}
    for return_id, product_id, quantity in fetch_all(
        DATABASE,
        """
        SELECT back.order_return_id, sold.product_id, sum(back.quantity)::bigint
        FROM orders_orderreturnline back JOIN orders_orderline sold ON sold.id = back.order_line_id
        WHERE back.order_return_id = ANY(%s) AND back.restock GROUP BY 1, 2 ORDER BY 1, 2
        """,
        [list(return_ids)],
    ):
        pieces.setdefault(return_id, []).append((product_id, quantity))
    return pieces
