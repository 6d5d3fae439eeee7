"""The cancellation saga: an order that has not left the house is undone by a person's wish.

It waits for a checkout under way to end (it was asked to abort). Calling the shipment back is the
pivot: a parcel that left keeps its order; once called back, stock and money follow.
"""

from collections.abc import Sequence
from uuid import UUID

from apps.orders.workflows import steps
from apps.orders.workflows.checkout import KIND as CHECKOUT_KIND
from apps.orders.workflows.checkout import reservation_key
from apps.payments.contracts import Operation
from apps.sagas import facade as sagas
from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.definition import Participant, Saga, Step, StepKind
from apps.sagas.retry import RetryPolicy

KIND = "cancellation"
# Longer than a checkout may wait for a gateway or database, forward and back.
CHECKOUT_ENDS = RetryPolicy(max_attempts=30_000, base=0.2, cap=12.0, schedule_to_close=172_800.0)


def stop_checkout(calls: Sequence[StepCall]) -> list[Outcome]:
    """Succeeds for orders whose checkout has ended, either way."""
    keys = [call.business_key for call in calls]
    states = sagas.states(kind=CHECKOUT_KIND, business_keys=keys)
    return [_checkout_outcome(states[key].status) for key in keys]


def _checkout_outcome(status: str) -> Outcome:
    if status in ("completed", "compensated"):
        return Outcome.success()
    if status == "failed":
        return Outcome.rejected("checkout_parked", "the checkout waits for a person")
    return Outcome.retryable("checkout_running")


CANCELLATION = Saga(
    kind=KIND,
    version=1,
    deadline=None,  # it was promised: no outage makes it forget
    steps=(
        Step(
            "stop_checkout",
            Participant(stop_checkout, local=True),
            retry=CHECKOUT_ENDS,
        ),
        Step(
            "cancel_shipment",
            Participant(steps.cancel_shipment, local=True),
            kind=StepKind.PIVOT,
        ),
        Step(
            "release_stock",
            steps.release_stock(lambda call: reservation_key(call.data["checkout_run"])),
            kind=StepKind.RETRIABLE,
        ),
        Step("return_payment", steps.payment_step(Operation.REVERSE), kind=StepKind.RETRIABLE),
        Step(
            "cancel_order",
            steps.cancel_order(lambda call: call.data["reason"]),
            kind=StepKind.RETRIABLE,
        ),
    ),
)


def start_cancellation(
    order_id: UUID, *, checkout_run: UUID, reason: str, correlation_id: str
) -> UUID:
    """Starts it inside the caller's transaction; an order is cancelled by one run,
    which tries again where it was refused before."""
    return sagas.start(
        kind=KIND,
        version=CANCELLATION.version,
        business_key=str(order_id),
        data={"checkout_run": str(checkout_run), "reason": reason},
        correlation_id=correlation_id,
        again=True,
    )
