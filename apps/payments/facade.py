"""What other apps may ask of payments. Contracts in, contracts out; all in database ``orders``.

An operation has three phases. ``prepare`` inside a transaction: what will be asked is committed
before it is. ``perform`` outside any transaction: the gateway's answers. ``record`` inside the
transaction of the caller's own checkpoint: the answers. Dying between any two and beginning again
with ``prepare`` gives the same books, since every movement has one key for ever.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.conf import settings

from apps.common.audit import Finding
from apps.common.errors import Unavailable
from apps.payments import audits, checkout, participant, refunding, runner, selectors, services
from apps.payments.client import gateway
from apps.payments.contracts import (
    GatewayRecord,
    LedgerEntry,
    MoneyState,
    NetAmount,
    OpenPayment,
    Operation,
    PaymentResult,
    Reconciliation,
    Refund,
    RefundPayment,
)
from apps.payments.gateways import GatewayError
from apps.payments.ledger import NO_CAUSES
from apps.payments.participant import Recorded
from apps.payments.reconciling import discrepancies
from apps.payments.reconciling.mending import Orders
from apps.payments.reconciling.walking import Run
from apps.sagas import facade as sagas
from apps.sagas.definition import Participant
from apps.sagas.enums import RunStatus

T = TypeVar("T")
# The sagas that move the money of a choreographed checkout; their business key is the order.
CHECKOUT_KINDS = tuple(saga.kind for saga in checkout.SAGAS)


def open_payments(payments: Sequence[OpenPayment]) -> None:
    """Opens the payments of new orders in their transaction. Moves no money."""
    services.payments_open(payments=payments)


def prepare(operation: Operation, order_ids: Sequence[UUID]) -> None:
    """Writes the intent of ``operation`` into the ledger; its transaction commits it."""
    services.operation_prepare(operation=operation, order_ids=order_ids)


def perform(
    operation: Operation, order_ids: Sequence[UUID], *, seconds: float | None = None
) -> list[PaymentResult]:
    """Asks the gateway, many orders at once, and returns the results in their order.

    Raises ``RuntimeError`` inside a transaction. What cannot be begun within ``seconds`` (default
    ``GATEWAY_PERFORM_SECONDS``) comes back as unreachable with the code ``no_time``.
    """
    return runner.perform_all(operation, order_ids, seconds)


def submit(
    operation: Operation, order_ids: Sequence[UUID], then: Callable[[PaymentResult], T]
) -> list[T | Future[T]]:
    """Like ``perform`` but without waiting: for each order what ``then`` makes of its result, or
    a future of it. ``then`` runs in another thread and must not use a database.

    Raises ``RuntimeError`` inside a transaction.
    """
    return runner.submit_all(operation, order_ids, then)


def gateway_step(operation: Operation, recorded: Recorded) -> Participant:
    """``operation`` as the step of a saga whose business key is the order: intent, calls, then
    the ledger. ``recorded`` hears of the answers in the transaction of the checkpoint."""
    return participant.gateway_step(operation, recorded)


def parked_in_checkout(orders: Sequence[str]) -> dict[str, str]:
    """Of these orders (business keys) those of whose choreographed checkout a movement of money
    waits for a person, with its name."""
    return {
        key: saga.kind
        for saga in checkout.SAGAS
        for key, run in sagas.states(kind=saga.kind, business_keys=orders).items()
        if run.status == RunStatus.FAILED
    }


def record(
    operation: Operation,
    results: Sequence[PaymentResult],
    correlation_ids: Mapping[UUID, str] = NO_CAUSES,
) -> None:
    """Appends the results of ``perform`` to the ledger, with the events that tell of them, in the
    caller's transaction. ``correlation_ids``: order → the id of the request that caused it."""
    services.operation_record(operation=operation, results=results, causes=correlation_ids)


def prepare_refunds(
    refunds: Sequence[RefundPayment], correlation_ids: Mapping[UUID, str] = NO_CAUSES
) -> None:
    """Writes the intents of refunds of parts; its transaction commits them. All of an order's
    refunds together are never more than was captured: what would be fails for good. A payment on
    account is refunded by this.

    Raises ``InvalidInput`` for amounts that cannot be, ``Conflict`` for an id that was used for
    another amount.
    """
    refunding.refunds_prepare(refunds=refunds, causes=correlation_ids)


def perform_refunds(
    refunds: Sequence[RefundPayment], *, seconds: float | None = None
) -> list[PaymentResult]:
    """Asks the gateway, many refunds at once, and returns the results in their order.

    Raises ``RuntimeError`` inside a transaction.
    """
    return runner.perform_refunds(refunds, seconds)


def submit_refunds(
    refunds: Sequence[RefundPayment], then: Callable[[PaymentResult], T]
) -> list[T | Future[T]]:
    """Like ``perform_refunds`` but without waiting, as ``submit`` does.

    Raises ``RuntimeError`` inside a transaction.
    """
    return runner.submit_refunds(refunds, then)


def record_refunds(
    refunds: Sequence[RefundPayment],
    results: Sequence[PaymentResult],
    correlation_ids: Mapping[UUID, str] = NO_CAUSES,
) -> dict[UUID, MoneyState]:
    """Appends the results of ``perform_refunds`` to the ledger, in the caller's transaction;
    returns where the money of their orders is now. The rest as in ``record``."""
    return refunding.refunds_record(refunds=refunds, results=results, causes=correlation_ids)


def find_refunds(order_ids: Sequence[UUID]) -> dict[UUID, tuple[Refund, ...]]:
    """The refunds of parts of each order's money, oldest first; an order without is missing."""
    return selectors.refunds(order_ids)


def money_states(order_ids: Sequence[UUID]) -> dict[UUID, MoneyState]:
    """Where each order's money is by our ledger; an order without payment is missing."""
    return {one: position.state for one, position in selectors.positions(order_ids).items()}


def ledger(order_id: UUID) -> tuple[LedgerEntry, ...]:
    """The order's ledger entries, oldest first."""
    return selectors.ledger(order_id)


def net_amounts(order_ids: Sequence[UUID]) -> dict[UUID, NetAmount]:
    """What was captured and refunded, by order; an order without payment is missing."""
    return selectors.net_amounts(order_ids)


def all_net_amounts() -> Iterator[NetAmount]:
    """What was captured and refunded, for every order that has a payment."""
    return selectors.all_net_amounts()


def gateway_records() -> Iterator[tuple[UUID | None, GatewayRecord]]:
    """All payments by the gateway's own record, each with its order (``None``: not one of ours).

    Raises ``Unavailable`` if the gateway does not answer.
    """
    try:
        yield from audits.gateway_records(gateway())
    except GatewayError as problem:
        raise _unavailable(problem) from problem


def find_at_gateway(order_ids: Sequence[UUID]) -> dict[UUID, GatewayRecord]:
    """What the gateway's own record says now of each order; one it does not know is missing.

    Raises ``Unavailable`` if the gateway does not answer.
    """
    try:
        return audits.find_at_gateway(gateway(), order_ids)
    except GatewayError as problem:
        raise _unavailable(problem) from problem


def gateway_answers() -> bool:
    """Whether the gateway is there; waits for at most a second."""
    return gateway().answers()


def audit(settled: Callable[[Sequence[UUID]], set[UUID]]) -> list[Finding]:
    """Compares our ledger with the gateway's record, payment by payment.

    ``settled`` tells which of some orders nobody is working on any more: an open ledger entry is
    a finding for those only. Every suspect is looked at a second time before it counts. Raises
    ``Unavailable`` if the gateway does not answer.
    """
    try:
        return audits.compare(gateway(), settled)
    except GatewayError as problem:
        raise _unavailable(problem) from problem


def reconcile(orders: Orders, *, dry_run: bool = False) -> Reconciliation:
    """Walks the gateway's own records against our ledger, for at most
    ``RECONCILE_SECONDS``; mends what is safe and keeps the rest for a person.

    With ``dry_run`` nothing is written and nothing asked but what there is. Raises
    ``Unavailable`` if the gateway does not answer; what was done until then is done.
    """
    run = Run(
        gateway(),
        orders,
        marks=discrepancies.marks(),
        seconds=settings.RECONCILE_SECONDS,
        dry_run=dry_run,
    )
    try:
        result = run.go()
    except GatewayError as problem:
        raise _unavailable(problem) from problem
    if not dry_run:
        discrepancies.run_record(run=result, marks=run.marks)
    return result


def open_discrepancies(*, most: int) -> tuple[int, list[tuple[int, str, datetime]]]:
    """How many discrepancies want a person, and the newest of them: id, kind in words, since."""
    return discrepancies.open_discrepancies(most=most)


def resolve_discrepancy(discrepancy_id: int, reason: str) -> None:
    """A person has seen to a discrepancy, for ``reason``. Raises ``InvalidInput``, ``NotFound``,
    and ``Conflict`` where it is not open any more."""
    discrepancies.discrepancy_resolve(discrepancy_id=discrepancy_id, reason=reason)


def _unavailable(problem: GatewayError) -> Unavailable:
    return Unavailable(f"the payment gateway does not answer: {problem}")
