"""Carries out what is safe, each payment under its lock and by the keys its movements have anyway.

As everywhere: the intent is committed before the gateway is asked, the answer after. Dying in
between leaves an open entry, which the next run settles.
"""

from dataclasses import replace
from typing import Protocol
from uuid import UUID

import structlog
from django.db import transaction

from apps.common.failpoints import failpoint
from apps.payments import ledger, movements, selectors, services
from apps.payments.contracts import (
    GatewayRecord,
    MoneyFinding,
    MoneyState,
    PaymentResult,
    PaymentStatus,
    Standing,
)
from apps.payments.enums import DATABASE, EntryOperation, EntryState
from apps.payments.gateways import Declined, Gateway, Refused, Unanswered
from apps.payments.ledger import Entry
from apps.payments.locks import lock_payments
from apps.payments.position import Position, Progress
from apps.payments.reconciling import discrepancies
from apps.payments.reconciling.verdicts import Action, Verdict, answers, judge, unknown_capture

log = structlog.get_logger(__name__)
TOLD = {
    Action.ANSWER: "The gateway's answer was entered into our ledger.",
    Action.VOID: "The authorization was voided.",
    Action.REFUND: "The money was given back.",
}


class Orders(Protocol):
    """What the reconciler must know of orders, and tell them."""

    def standings(self, order_ids: list[UUID]) -> dict[UUID, Standing]:
        """Where each of ``order_ids`` stands; one that does not exist is ``MISSING``."""
        ...

    def dead(self, order_ids: list[UUID]) -> set[UUID]:
        """Those of ``order_ids`` that are cancelled or do not exist: a quick look."""
        ...

    def moved(self, states: dict[UUID, MoneyState]) -> None:
        """Inside the transaction that mends: where the money of these orders is now."""
        ...


def mend(
    gateway: Gateway,
    orders: Orders,
    position: Position,
    record: GatewayRecord,
    verdict: Verdict,
) -> bool:
    """Whether it was done by this call; another one or the order's own saga may have been first."""
    finding = found(position, verdict)
    if verdict.action is Action.ANSWER:
        return _enter_answers(orders, finding, position, record, verdict)
    if not _intend(orders, position, record, verdict):
        return False
    failpoint("payments.before_gateway_call")
    result = _ask(gateway, position, record, verdict)
    failpoint("payments.after_gateway_call")
    return result is not None and _enter_result(orders, finding, verdict, result)


def found(position: Position, verdict: Verdict) -> MoneyFinding:
    reference = str(position.payment_id)
    return MoneyFinding(
        verdict.kind.value, reference, position.order_id, verdict.action.value, verdict.detail
    )


def _enter_answers(
    orders: Orders,
    finding: MoneyFinding,
    position: Position,
    record: GatewayRecord,
    verdict: Verdict,
) -> bool:
    with transaction.atomic(using=DATABASE):
        locked = _still(orders, position.order_id, record, verdict)
        if locked is None or not ledger.append(list(answers(locked, record))):
            return False
        _tell(orders, finding, Action.ANSWER)
        failpoint("payments.mend.before_commit")
    failpoint("payments.mend.after_commit")
    return True


def _intend(orders: Orders, position: Position, record: GatewayRecord, verdict: Verdict) -> bool:
    """Writes down what will be asked, unless things have moved since the verdict."""
    with transaction.atomic(using=DATABASE):
        locked = _still(orders, position.order_id, record, verdict)
        if locked is None:
            return False
        if verdict.action is Action.VOID:
            entries = [Entry(locked, EntryOperation.VOID, EntryState.REQUESTED)]
        else:
            entries = list(unknown_capture(locked, record))
            if locked.refund is Progress.NONE:
                rest = record.net.amount
                operation, state = EntryOperation.REFUND, EntryState.REQUESTED
                entries.append(Entry(locked, operation, state, amount=rest))
        ledger.append(entries)
        failpoint("payments.mend.before_commit")
    failpoint("payments.mend.after_commit")
    return True


def _still(
    orders: Orders, order_id: UUID, record: GatewayRecord, verdict: Verdict
) -> Position | None:
    """The payment under its lock, if the verdict on it is still the same."""
    lock_payments([order_id])
    position = selectors.positions([order_id])[order_id]
    standing = orders.standings([order_id])[order_id]
    return position if judge(position, record, standing) == verdict else None


def _ask(
    gateway: Gateway, position: Position, record: GatewayRecord, verdict: Verdict
) -> PaymentResult | None:
    """The gateway's answer; ``None`` if there is none yet: the next run looks again."""
    position = selectors.positions([position.order_id])[position.order_id]
    try:
        after = movements.undo(gateway, position, record.state)
    except Declined as no:
        status, state = PaymentStatus.DECLINED, record.state
        return PaymentResult(position.order_id, status, state, no.code, no.detail)
    except (Refused, Unanswered) as problem:
        log.warning(
            "payments.mend_unanswered",
            reference=str(position.payment_id),
            action=verdict.action.value,
            code=problem.code,
        )
        return None
    reference = after.gateway_reference
    return PaymentResult(
        position.order_id,
        PaymentStatus.SUCCEEDED,
        after.state,
        gateway_reference=reference,
    )


def _enter_result(
    orders: Orders, finding: MoneyFinding, verdict: Verdict, result: PaymentResult
) -> bool:
    with transaction.atomic(using=DATABASE):
        lock_payments([result.order_id])
        position = selectors.positions([result.order_id])[result.order_id]
        entries = list(services.reversal_entries(position, result))
        entered = ledger.append(entries)
        done = bool(entered) and result.status is PaymentStatus.SUCCEEDED
        if done:
            _tell(orders, finding, verdict.action)
        failpoint("payments.mend.before_commit")
    failpoint("payments.mend.after_commit")
    return done


def _tell(orders: Orders, finding: MoneyFinding, action: Action) -> None:
    position = selectors.positions([finding.order_id])[finding.order_id]
    orders.moved({finding.order_id: position.state})
    discrepancies.note_mended(replace(finding, done=True), reason=TOLD[action])
