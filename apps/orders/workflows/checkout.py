"""The checkout saga: authorize, reserve, schedule, capture, confirm – or undo all of it.

Step 0, ``create_order``, is done in the transaction that places the order and starts the run.
Capturing the money is the pivot: before it everything can be undone, after it the order is kept.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

from apps.messaging.outbox import marked
from apps.orders.workflows import steps
from apps.payments.contracts import Operation
from apps.sagas import facade as sagas
from apps.sagas.contracts import step_key
from apps.sagas.definition import Participant, Saga, Step, StepKind
from apps.sagas.enums import Style
from apps.sagas.event_contracts import CHOREOGRAPHED
from apps.sagas.retry import RetryPolicy

KIND = "checkout"
RESERVE_POSITION = 2
# How long a gateway or database may be away before an order that waits for it is given up.
PATIENT = RetryPolicy(max_attempts=30_000, base=0.2, cap=5.0, schedule_to_close=900.0)
REVIEW_WITHIN = 7 * 86_400.0  # seconds

CHECKOUT = Saga(
    kind=KIND,
    version=1,
    compensates_pivot=True,  # reversing the payment asks the gateway and refunds what it captured
    timed_out=steps.tell_timed_out,
    steps=(
        Step("create_order", None, steps.cancel_order(lambda call: call.reason or "cancelled")),
        Step(
            "authorize_payment",
            steps.payment_step(Operation.AUTHORIZE),
            steps.payment_step(Operation.REVERSE),
            retry=PATIENT,
        ),
        Step(
            "reserve_stock",
            Participant(steps.reserve_stock),
            steps.release_stock(lambda call: call.forward_key),
            retry=PATIENT,
        ),
        Step(
            "schedule_shipment",
            Participant(steps.schedule_shipment, local=True),
            Participant(steps.cancel_shipment, local=True),
        ),
        Step("capture_payment", steps.payment_step(Operation.CAPTURE), kind=StepKind.PIVOT),
        Step(
            "confirm_order",
            Participant(steps.confirm_order, local=True),
            kind=StepKind.RETRIABLE,
        ),
    ),
)


def start_checkout(order_id: UUID, *, lines: int, held: bool, correlation_id: str) -> UUID:
    """Starts the order's checkout inside the caller's transaction; returns the run's id.

    One that is ``held`` for review may wait as long as an authorization is usually good for. The
    engine drives it, or its participants do by events (``choreography``).
    """
    return sagas.start(
        kind=KIND,
        version=CHECKOUT.version,
        business_key=str(order_id),
        weight=lines,
        correlation_id=correlation_id,
        deadline=REVIEW_WITHIN if held else None,
        fresh=True,
        style=style(),
    )


def style() -> Style:
    """How a checkout that begins now is coordinated; one that has begun ends as it began."""
    return Style(settings.CHECKOUT_COORDINATION)


@contextmanager
def carried_on(*, choreographed: bool) -> Iterator[None]:
    """Marks the events of the block for the participants of a choreographed checkout, if it is
    one."""
    with marked(**(CHOREOGRAPHED if choreographed else {})):
        yield


def reservation_key(checkout_run: str) -> str:
    """The key under which a checkout run reserves its stock."""
    return step_key(checkout_run, RESERVE_POSITION, "F")
