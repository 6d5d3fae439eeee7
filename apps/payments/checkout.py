"""The money's part in a choreographed checkout: authorized once an order is placed, captured once
its parcel is planned, given back once it is cancelled.

A handler must not ask the gateway: it commits a run of one step, which the engine carries out as
any other call outside – leased, with the same key until a definite answer – and whose answer is
told by the events of the ledger.
"""

from collections.abc import Sequence

from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup
from apps.messaging.outbox import Event, append, marked
from apps.payments.contracts import Operation, PaymentResult, PaymentStatus
from apps.payments.enums import DATABASE
from apps.payments.participant import gateway_step, order_of
from apps.sagas import facade as sagas
from apps.sagas.contracts import StepCall
from apps.sagas.definition import Participant, Saga, Step, StepKind
from apps.sagas.event_contracts import CHECKOUT_UNDONE, CHOREOGRAPHED, CheckoutUndone

PARTICIPANT = "payments"
CHECKOUT_KIND, CHECKOUT_VERSION = "checkout", 1


def _step(operation: Operation) -> Participant:
    told = _tell_undone if operation is Operation.REVERSE else _tell_no_more
    step = gateway_step(operation, told)

    def record(calls, outcomes) -> None:
        with marked(**CHOREOGRAPHED):
            step.record(calls, outcomes)

    return Participant(submit=step.submit, prepare=step.prepare, record=record)


def _tell_no_more(calls: Sequence[StepCall], results: Sequence[PaymentResult]) -> None:
    """The ledger's events say it all."""


def _tell_undone(calls: Sequence[StepCall], results: Sequence[PaymentResult]) -> None:
    requests = {order_of(call.business_key): call.correlation_id for call in calls}
    append(
        DATABASE,
        [
            Event(
                CHECKOUT_UNDONE,
                f"{one.order_id}:{PARTICIPANT}",
                1,
                CheckoutUndone(one.order_id, PARTICIPANT),
                requests[one.order_id],
            )
            for one in results
            if one.status is PaymentStatus.SUCCEEDED
        ],
    )


AUTHORIZATION = Saga(
    "payment_authorization",
    1,
    (Step("authorize_payment", _step(Operation.AUTHORIZE), kind=StepKind.PIVOT),),
    deadline=None,  # that of the checkout ends it, by a reversal
)
CAPTURE = Saga(
    "payment_capture",
    1,
    (Step("capture_payment", _step(Operation.CAPTURE), kind=StepKind.PIVOT),),
    deadline=None,
)
REVERSAL = Saga(
    "payment_reversal",
    1,
    (
        Step("cancel_checkout", None, kind=StepKind.PIVOT),
        Step("return_payment", _step(Operation.REVERSE), kind=StepKind.RETRIABLE),
    ),
    deadline=None,
)
SAGAS = (AUTHORIZATION, CAPTURE, REVERSAL)


def handle(events: Sequence[Received]) -> None:
    """Starts what the events ask for; an order's capture only where its checkout lets it."""
    wanted: dict[str, dict[str, str]] = {"order.placed": {}, "shipment.scheduled": {}}
    cancelled = wanted["checkout.cancelled"] = {}
    for event in events:
        key = str(event.payload.order_id)
        wanted[event.topic][key] = event.headers.get("correlation_id", "")
    _start(AUTHORIZATION, wanted["order.placed"])
    scheduled = wanted["shipment.scheduled"]
    if scheduled:
        may = sagas.begin_pivot(
            kind=CHECKOUT_KIND, version=CHECKOUT_VERSION, business_keys=list(scheduled)
        )
        _start(CAPTURE, {key: one for key, one in scheduled.items() if key in may})
    _start(REVERSAL, cancelled)


def _start(saga: Saga, requests: dict[str, str]) -> None:
    sagas.start_many(kind=saga.kind, version=saga.version, starts=requests)


CHECKOUT = ConsumerGroup(
    "payments.checkout",
    DATABASE,
    ("order.placed", "shipment.scheduled", "checkout.cancelled"),
    handle,
    headers=tuple(CHOREOGRAPHED.items()),
)
