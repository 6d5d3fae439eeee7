"""The orders' part in a choreographed checkout (docs/decisions/0025).

Nobody tells the participants what to do: payments, stock and shipping each follow the events of
the others. Here their events are noted on the checkout's run, so that everybody sees how far it is;
an order is confirmed once its money is taken, and given up – for all of them – once any of them
refuses, somebody stops it or its time is over. It is cancelled when all have undone their part.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import structlog

from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup
from apps.messaging.outbox import Event, append, marked
from apps.orders.enums import DATABASE, FulfillmentStatus
from apps.orders.services import moving
from apps.orders.workflows.checkout import CHECKOUT as SAGA
from apps.payments import facade as payments
from apps.sagas import choreography
from apps.sagas.choreography import BACKWARD, FORWARD, Held, Note
from apps.sagas.enums import RunStatus, StepStatus
from apps.sagas.event_contracts import CHECKOUT_CANCELLED, CHOREOGRAPHED, CheckoutCancelled
from apps.sagas.retry import FOR_EVER

log = structlog.get_logger(__name__)
CREATE, AUTHORIZE, RESERVE, SCHEDULE, CAPTURE, CONFIRM = range(len(SAGA.steps))
DONE = {
    "payment.authorized": AUTHORIZE,
    "stock.reserved": RESERVE,
    "shipment.scheduled": SCHEDULE,
    "payment.captured": CAPTURE,
}
PARTICIPANTS = {"payments": AUTHORIZE, "stock": RESERVE, "shipment": SCHEDULE}
REFUSED_PAYMENTS = {"authorization": AUTHORIZE, "capture": CAPTURE}
TIMED_OUT = "deadline_exceeded"
Cause = tuple[Held, str, str]


def handle(events: Sequence[Received]) -> None:
    """Notes what the participants did, and draws the conclusions."""
    runs = choreography.hold(SAGA.kind, sorted({_key(event) for event in events}))
    events = [event for event in events if _key(event) in runs]
    news = choreography.note(SAGA, runs, [one for one in map(_note, events) if one])
    with marked(**CHOREOGRAPHED):
        _show(runs, news)
        _turn([*_refused(runs, news), *_timed_out(runs, events)])
        _confirm([one for one in runs.values() if _is_paid(one)])
        _cancel([one for one in runs.values() if _is_undone(one)])


def oversee(runs: Sequence[Held]) -> None:
    """Looks after runs that nobody told of for long: they are late, or a person woke them or asked
    them to stop. From the capture on being late turns nothing back."""
    keys = [run.business_key for run in runs]
    parked = payments.parked_in_checkout(keys)
    before = [one for one in runs if one.forward and not one.has_begun(CAPTURE)]
    stopped = [one for one in before if one.abort_requested]
    late = [one for one in before if one.late and not one.abort_requested]
    stuck = [
        (one, "participant_parked", f"{parked[one.business_key]} wants a person")
        if one.business_key in parked
        else (one, "no_progress", f"not heard of for {one.idle:.0f} s")
        for one in runs
        if one not in before
        and (one.business_key in parked or one.idle > FOR_EVER.schedule_to_close)
    ]
    with marked(**CHOREOGRAPHED):
        _turn([(one, one.abort_reason or "abort_requested", "asked to stop") for one in stopped])
        _time_out(late)
        choreography.park(stuck)
    parked_now = {one.run_id for one, _, _ in stuck}
    for one in runs:
        if one.forward and one.late and one not in before:
            log.warning("checkout.late_past_capture", run=str(one.run_id), order=one.business_key)
    choreography.look_again([one for one in runs if one.run_id not in parked_now])


def _key(event: Received) -> str:
    return str(event.payload.order_id)


def _note(event: Received) -> Note | None:
    key, payload = _key(event), event.payload
    if event.topic in DONE:
        return Note(key, DONE[event.topic], FORWARD, StepStatus.COMPLETED)
    if event.topic == "checkout.undone":
        return Note(key, PARTICIPANTS[payload.participant], BACKWARD, StepStatus.COMPENSATED)
    if event.topic == "stock.rejected":
        few = payload.short[0]
        text = (
            f"{len(payload.short)} products short, e.g. {few.product_id}:"
            f" {few.requested} wanted, {few.available} available"
        )
        return Note(key, RESERVE, FORWARD, StepStatus.FAILED, "out_of_stock", text)
    if event.topic == "shipment.failed":
        return Note(key, SCHEDULE, FORWARD, StepStatus.FAILED, payload.reason)
    if event.topic == "payment.failed" and payload.operation in REFUSED_PAYMENTS:
        step = REFUSED_PAYMENTS[payload.operation]
        return Note(key, step, FORWARD, StepStatus.FAILED, payload.code)
    return None


def _show(runs: Mapping[str, Held], news: Sequence[Note]) -> None:
    """The order's axes: its money by the ledger, which knows the latest, whatever comes late."""
    money = [one.business_key for one in news if one.position in (AUTHORIZE, CAPTURE)]
    states = payments.money_states([UUID(key) for key in money]) if money else {}
    moving.orders_set_payment({order_id: state.value for order_id, state in states.items()})
    _show_scheduled(
        runs[one.business_key]
        for one in news
        if (one.position, one.status) == (SCHEDULE, StepStatus.COMPLETED)
    )


def _show_scheduled(runs: Iterable[Held]) -> None:
    order_ids = [UUID(one.business_key) for one in runs if not one.ended]
    if order_ids:
        moving.orders_set_fulfillment(order_ids, FulfillmentStatus.SCHEDULED)


def _refused(runs: Mapping[str, Held], news: Sequence[Note]) -> list[Cause]:
    causes: dict[str, Cause] = {}
    for one in news:
        run = runs[one.business_key]
        if one.status == StepStatus.FAILED and run.forward and not run.ended:
            causes.setdefault(one.business_key, (run, one.code, one.detail))
    return list(causes.values())


def _timed_out(runs: Mapping[str, Held], events: Sequence[Received]) -> list[Cause]:
    late = {_key(event) for event in events if event.topic == "checkout.timed_out"}
    return [
        (runs[key], TIMED_OUT, "not done by its deadline")
        for key in late
        if runs[key].forward and not runs[key].ended and not runs[key].has_begun(CAPTURE)
    ]


def _turn(causes: Sequence[Cause]) -> None:
    """Gives checkouts up: each participant hears of it and undoes its part."""
    turning = {cause[0].run_id: cause for cause in reversed(causes)}.values()
    choreography.turn(list(turning))
    append(
        DATABASE,
        [
            Event(
                CHECKOUT_CANCELLED,
                run.business_key,
                1,
                CheckoutCancelled(UUID(run.business_key), run.run_id, code),
                run.correlation_id,
            )
            for run, code, _ in turning
        ],
    )


def _time_out(runs: Sequence[Held]) -> None:
    if runs:
        moving.checkouts_time_out(
            {UUID(one.business_key): one.run_id for one in runs}, _requests(runs)
        )


def _is_paid(run: Held) -> bool:
    return run.forward and not run.ended and run.has_done(CAPTURE)


def _confirm(runs: Sequence[Held]) -> None:
    if not runs:
        return
    _show_scheduled(runs)  # what is paid was planned, even if that is told later
    moving.orders_confirm(_requests(runs))
    _end(runs, CONFIRM, FORWARD, StepStatus.COMPLETED, RunStatus.COMPLETED)


def _is_undone(run: Held) -> bool:
    if run.forward or run.ended:
        return False
    return all(run.has_done(position, BACKWARD) for position in PARTICIPANTS.values())


def _cancel(runs: Sequence[Held]) -> None:
    if not runs:
        return
    reasons = {UUID(one.business_key): one.error_code for one in runs}
    moving.orders_cancel(reasons, _requests(runs))
    _end(runs, CREATE, BACKWARD, StepStatus.COMPENSATED, RunStatus.COMPENSATED)


def _end(
    runs: Sequence[Held], position: int, direction: str, step: StepStatus, status: RunStatus
) -> None:
    by_key = {one.business_key: one for one in runs}
    choreography.note(SAGA, by_key, [Note(key, position, direction, step) for key in by_key])
    choreography.finish(runs, status)


def _requests(runs: Sequence[Held]) -> dict[UUID, str]:
    return {UUID(one.business_key): one.correlation_id for one in runs}


CHECKOUT = ConsumerGroup(
    "orders.checkout",
    DATABASE,
    (
        *DONE,
        "payment.failed",
        "stock.rejected",
        "shipment.failed",
        "checkout.timed_out",
        "checkout.undone",
    ),
    handle,
    headers=tuple(CHOREOGRAPHED.items()),
)
