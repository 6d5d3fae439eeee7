"""The return saga: money goes back, then goods onto the shelf.

Step 0 takes the return down in the transaction that starts the run. The refund is the pivot: money
that was given back is not asked for again, while before it nothing has happened that anybody could
see, so a refund that the gateway declines for good simply refuses the return. What follows cannot
be refused, only repeated: the goods are in the house, and a shelf has room for them. Money comes
first because it alone can be declined – the other way round a declined refund would have to take
pieces from the shelf that may be sold by then.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from decimal import Decimal
from uuid import UUID

from moneyed import Money

from apps.catalog import facade as catalog
from apps.catalog.contracts import ReturnStock, StockLine
from apps.orders.enums import ReturnStatus
from apps.orders.locks import lock_orders
from apps.orders.services import moving, return_moves
from apps.payments import facade as payments
from apps.payments.contracts import PaymentOutcome, RefundPayment, payment_outcome
from apps.sagas import facade as sagas
from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.definition import Participant, Saga, Step, StepKind

KIND = "return"


def _return_id(call: StepCall) -> UUID:
    return UUID(call.business_key)


def _order_id(call: StepCall) -> UUID:
    return UUID(call.data["order_id"])


def _correlation_ids(calls: Sequence[StepCall]) -> dict[UUID, str]:
    return {_return_id(call): call.correlation_id for call in calls}


def _causes(calls: Sequence[StepCall]) -> dict[UUID, str]:
    return {_order_id(call): call.correlation_id for call in calls}


# --- money -------------------------------------------------------------------------------------
def _refund(call: StepCall) -> RefundPayment | None:
    """What is asked of the gateway, by the return's own key for ever; None for free goods."""
    amount = Money(Decimal(call.data["amount"]), call.data["currency"])
    return RefundPayment(_order_id(call), _return_id(call), amount) if amount.amount else None


def _refunds(calls: Sequence[StepCall]) -> list[RefundPayment]:
    return [refund for call in calls if (refund := _refund(call))]


def prepare_refund(calls: Sequence[StepCall]) -> None:
    payments.prepare_refunds(_refunds(calls), _causes(calls))


def submit_refund(calls: Sequence[StepCall]) -> list[Outcome | Future[Outcome]]:
    """Asks the gateway to give back what the returned goods cost."""
    answers = iter(payments.submit_refunds(_refunds(calls), payment_outcome))
    return [next(answers) if _refund(call) else Outcome.success() for call in calls]


def record_refund(calls: Sequence[StepCall], outcomes: Sequence[Outcome]) -> None:
    """Ledger and payment axis. The axis is read from the ledger, under the orders' locks: of two
    refunds of an order the later one sees both."""
    answered = [
        (refund, outcome.payment)
        for call, outcome in zip(calls, outcomes, strict=True)
        if isinstance(outcome, PaymentOutcome) and (refund := _refund(call))
    ]
    order_ids = {refund.order_id for refund, _ in answered}
    lock_orders(order_ids)
    states = payments.record_refunds(
        [refund for refund, _ in answered], [result for _, result in answered], _causes(calls)
    )
    moving.orders_set_payment({order_id: state.value for order_id, state in states.items()})


# --- goods and books ---------------------------------------------------------------------------
def restock(calls: Sequence[StepCall]) -> list[Outcome]:
    """What is fit to be sold again goes back onto the shelf."""
    pieces = return_moves.sellable_pieces([_return_id(call) for call in calls])
    commands = [
        ReturnStock(
            call.key,
            _order_id(call),
            tuple(StockLine(*one) for one in pieces[_return_id(call)]),
        )
        for call in calls
        if _return_id(call) in pieces
    ]
    results = catalog.return_stock(commands, _causes(calls)) if commands else ()
    moved = {one.key: one.quantity for one in results}
    return [Outcome.success(pieces=moved.get(call.key, 0)) for call in calls]


def complete(calls: Sequence[StepCall]) -> list[Outcome]:
    """Marks the return as complete and adds it to what came back of its order."""
    orders = {_return_id(call): _order_id(call) for call in calls}
    return_moves.returns_complete(orders, _correlation_ids(calls))
    return [Outcome.success() for _ in calls]


def refuse(calls: Sequence[StepCall]) -> list[Outcome]:
    """The refund was declined for good."""
    return_moves.returns_refuse(
        {_return_id(call): call.reason or "refused" for call in calls},
        before=ReturnStatus.IN_PROGRESS,
    )
    return [Outcome.success() for _ in calls]


RETURN = Saga(
    kind=KIND,
    version=1,
    deadline=None,  # it was promised: no outage makes it forget
    steps=(
        Step("record_return", None, Participant(refuse, local=True)),
        Step(
            "refund_payment",
            Participant(submit=submit_refund, prepare=prepare_refund, record=record_refund),
            kind=StepKind.PIVOT,
        ),
        Step("restock", Participant(restock), kind=StepKind.RETRIABLE),
        Step("complete_return", Participant(complete, local=True), kind=StepKind.RETRIABLE),
    ),
)


def start_return(
    return_id: UUID, *, order_id: UUID, amount: Money, lines: int, correlation_id: str
) -> UUID:
    """Starts it inside the caller's transaction; returns the run's id."""
    return sagas.start(
        kind=KIND,
        version=RETURN.version,
        business_key=str(return_id),
        data={
            "order_id": str(order_id),
            "amount": str(amount.amount),
            "currency": amount.currency.code,
        },
        weight=max(lines, 1),
        correlation_id=correlation_id,
    )
