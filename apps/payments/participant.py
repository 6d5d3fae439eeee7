"""A gateway operation as a saga's step: intent, calls, then the ledger with the checkpoint."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import lru_cache
from uuid import UUID

from apps.payments import runner, services
from apps.payments.contracts import Operation, PaymentOutcome, PaymentResult, payment_outcome
from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.definition import Participant

Recorded = Callable[[Sequence[StepCall], Sequence[PaymentResult]], None]
order_of = lru_cache(maxsize=4_096)(UUID)  # each step asks several times
_ASKS = {
    Operation.AUTHORIZE: "Asks the gateway to hold the order's total; on account, books it.",
    Operation.CAPTURE: "Asks the gateway for the money that is held; on account, books it.",
    Operation.REVERSE: "Gives the money back: lets go what is held, refunds what was taken. What"
    " nobody heard of is looked up first.",
}


def gateway_step(operation: Operation, recorded: Recorded) -> Participant:
    """``operation`` for a batch of runs whose business keys are orders. ``recorded`` hears of the
    answers once they are in the ledger, in the transaction of the checkpoint."""

    def prepare(calls: Sequence[StepCall]) -> None:
        services.operation_prepare(operation=operation, order_ids=_orders(calls))

    def submit(calls: Sequence[StepCall]) -> list[Outcome | Future[Outcome]]:
        return runner.submit_all(operation, _orders(calls), payment_outcome)

    def record(calls: Sequence[StepCall], outcomes: Sequence[Outcome]) -> None:
        results = [one.payment for one in outcomes if isinstance(one, PaymentOutcome)]
        causes = {order_of(call.business_key): call.correlation_id for call in calls}
        services.operation_record(operation=operation, results=results, causes=causes)
        recorded(calls, results)

    submit.__doc__ = _ASKS[operation]
    return Participant(submit=submit, prepare=prepare, record=record)


def _orders(calls: Sequence[StepCall]) -> list[UUID]:
    return [order_of(call.business_key) for call in calls]
