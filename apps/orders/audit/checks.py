"""What must be true of an order that is settled: pure functions from its facts to what is wrong.

Each check answers None, or why the order breaks it. ``ORDER_CHECKS`` gives them their stable
names; the numbers are those of the invariants in the design (C7).
"""

from collections.abc import Callable, Mapping

from apps.orders.audit.facts import OrderFacts
from apps.payments.contracts import MoneyState
from apps.sagas.enums import RunStatus
from apps.shipping.contracts import ShipmentStatus

NOT_GOING = (ShipmentStatus.CANCELLED, ShipmentStatus.FAILED)
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
    """2: a confirmed order's total was captured and is kept, less the refunds of its returns."""
    if not order.is_sold:
        return None
    if order.money is None:
        return f"{order.status}, but it has no payment"
    due = order.total - order.back.refunded
    if (order.money.net.amount, order.money.net.currency.code) != (due, order.currency):
        back = f" less {order.back.refunded}" if order.back.refunded else ""
        return f"{order.status} for {order.total}{back} {order.currency}, kept {order.money.net}"
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


def sent_orders_sold_their_stock(order: OrderFacts) -> str | None:
    """3: what left the house left the books, to the piece, and nothing else did."""
    due = order.pieces if order.status in ("shipped", "delivered") else 0
    if order.sold != due:
        return f"{order.status}, {order.sold} of its {order.pieces} pieces left the stock"
    return None


def one_shipment_only_if_captured(order: OrderFacts) -> str | None:
    """4: what is to be sent, or was, is paid for; what is paid for is to be sent."""
    goes = order.shipment is not None and order.shipment.status not in NOT_GOING
    kept = order.money is not None and order.money.net.amount + order.back.refunded > 0
    if goes and not kept:
        return f"its shipment is {order.shipment.status}, but no money was kept"
    if order.is_sold and not goes:
        return f"{order.status}, but nothing is scheduled to be sent"
    return None


def payment_status_matches_ledger(order: OrderFacts) -> str | None:
    """2: what customer and staff read of the money is what the ledger says."""
    said = MoneyState.NOT_PAID if order.money is None else order.money.state
    if order.payment_status != said:
        return f"shown as {order.payment_status}, by our ledger {said}"
    if order.returned_total != order.back.refunded:
        return f"{order.returned_total} shown as given back, {order.back.refunded} by its returns"
    return None


def returns_terminal(order: OrderFacts) -> str | None:
    """1: each return stands where its ended saga left it."""
    for one in order.back.returns:
        ended = {"completed": "completed", "compensated": "refused"}
        due = ended.get(one.run.status) if one.run else None
        if one.run is None and one.status in ("in_progress", "completed"):
            return f"return {one.return_id} is {one.status}, but it has no saga"
        if due and one.status != due:
            return f"return {one.return_id} is {one.status}, but its saga is {one.run.status}"
    return None


def returns_refunded_once(order: OrderFacts) -> str | None:
    """2: a completed return has one refund of its amount, another one none; a refund has a return
    that it is for."""
    for one in order.back.returns:
        due = (one.amount,) if one.status == "completed" and one.amount else ()
        if one.refunds != due:
            refunds = " + ".join(map(str, one.refunds)) or "nothing"
            return f"return {one.return_id} of {one.amount} is {one.status}, refunded {refunds}"
    if order.back.stray:
        return f"{' + '.join(map(str, order.back.stray))} refunded for no return"
    return None


def returns_within_sold(order: OrderFacts) -> str | None:
    """3: of no line more comes back than was sold."""
    if order.back.overdrawn:
        return f"{order.back.overdrawn} lines came back more often than they were sold"
    return None


def returns_restocked(order: OrderFacts) -> str | None:
    """3: what completed returns bring back fit to be sold is on the shelf, to the piece."""
    if order.back.shelf != order.back.restocked:
        due, found = sum(order.back.shelf.values()), sum(order.back.restocked.values())
        return f"its returns bring {due} pieces onto the shelf, the stock ledger says {found}"
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
        sent_orders_sold_their_stock,
        one_shipment_only_if_captured,
        returns_terminal,
        returns_refunded_once,
        returns_within_sold,
        returns_restocked,
    )
}
