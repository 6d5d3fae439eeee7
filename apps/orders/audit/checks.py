"""What must be true of an order that is settled: pure functions from its facts to what is wrong.

Each check answers None, or why the order breaks it. ``ORDER_CHECKS`` gives them their stable
names; the numbers are those of the invariants in the design (C7).
"""

from collections.abc import Callable, Mapping

from apps.orders.audit.facts import OrderFacts
from apps.payments.contracts import MoneyState
from apps.sagas.enums import RunStatus
from apps.shipping.contracts import ShipmentStatus

OrderCheck = Callable[[OrderFacts], str | None]
# Where the money of an order is when nothing of it is held or kept.
NOTHING_KEPT = frozenset(
    {MoneyState.NOT_PAID, MoneyState.DECLINED, MoneyState.VOIDED, MoneyState.REFUNDED}
)


def orders_terminal(order: OrderFacts) -> str | None:
    """1: the order stands where its ended sagas left it."""
    if order.checkout is None:
        return f"{order.status}, but it has no checkout saga"
    if order.checkout.status == RunStatus.COMPENSATED and order.status != "cancelled":
        return f"{order.status}, but its checkout was compensated"
    if order.status == "pending":
        return "pending, but its checkout has ended"
    if order.status != "cancelled" and order.ended_cancelled:
        return f"{order.status}, but its cancellation was completed"
    return None


def confirmed_means_captured(order: OrderFacts) -> str | None:
    """2: a confirmed order's total was captured and is kept."""
    if not order.is_sold:
        return None
    if order.money is None:
        return f"{order.status}, but it has no payment"
    if (order.money.net.amount, order.money.net.currency.code) != (order.total, order.currency):
        return f"{order.status} for {order.total} {order.currency}, kept {order.money.net}"
    return None


def cancelled_keeps_no_money(order: OrderFacts) -> str | None:
    """2: of a cancelled order nothing is captured and nothing is held on the card."""
    if order.status != "cancelled" or order.money is None:
        return None
    if order.money.net.amount or order.money.state not in NOTHING_KEPT:
        return f"cancelled, but its money is {order.money.state}, kept {order.money.net}"
    return None


def no_reservation_for_dead_orders(order: OrderFacts) -> str | None:
    """3: stock is held for orders that are going to be sent, for no others."""
    if order.held and order.status in ("cancelled", "shipped", "delivered"):
        return f"{order.status}, but {order.held} pieces are held for it"
    return None


def confirmed_orders_hold_their_stock(order: OrderFacts) -> str | None:
    """3: what a confirmed order sold is held for it, to the piece."""
    if order.status == "confirmed" and order.held != order.pieces:
        return f"sold {order.pieces} pieces, {order.held} are held for it"
    return None


def one_shipment_only_if_captured(order: OrderFacts) -> str | None:
    """4: what is to be sent, or was, is paid for; what is paid for is to be sent."""
    goes = order.shipment is not None and order.shipment.status is not ShipmentStatus.CANCELLED
    kept = order.money is not None and order.money.net.amount > 0
    if goes and not kept:
        return f"its shipment is {order.shipment.status}, but no money was kept"
    if order.is_sold and not goes:
        return f"{order.status}, but nothing is scheduled to be sent"
    return None


def payment_status_matches_ledger(order: OrderFacts) -> str | None:
    """2: what customer and staff read of the money is what the ledger says."""
    said = MoneyState.NOT_PAID if order.money is None else order.money.state
    if order.payment_status not in (said, "partially_refunded"):
        return f"shown as {order.payment_status}, by our ledger {said}"
    return None


ORDER_CHECKS: Mapping[str, OrderCheck] = {
    check.__name__: check
    for check in (
        orders_terminal,
        confirmed_means_captured,
        cancelled_keeps_no_money,
        payment_status_matches_ledger,
        no_reservation_for_dead_orders,
        confirmed_orders_hold_their_stock,
        one_shipment_only_if_captured,
    )
}
