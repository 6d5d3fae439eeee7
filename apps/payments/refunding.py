"""Refunds of parts of an order's money: writes of the ledger in the caller's transaction.

Each has an id and with it one key at the gateway for ever. What is asked for is decided under the
payment's lock, so that all of it together is never more than was captured.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.common.databases import require_atomic
from apps.common.errors import Conflict, FieldError, InvalidInput
from apps.payments import ledger, selectors
from apps.payments.contracts import MoneyState, PaymentResult, PaymentStatus, RefundPayment
from apps.payments.enums import (
    DATABASE,
    EXCEEDS_CAPTURED,
    NOT_CAPTURED,
    REVERSED,
    UNANSWERED,
    EntryOperation,
    EntryState,
)
from apps.payments.ledger import NO_CAUSES, Entry
from apps.payments.locks import lock_payments
from apps.payments.position import Part, Position, Progress

STATE_OF = {
    PaymentStatus.SUCCEEDED: EntryState.SUCCEEDED,
    PaymentStatus.DECLINED: EntryState.FAILED,
    PaymentStatus.UNKNOWN: EntryState.UNKNOWN,
}


def refunds_prepare(
    *, refunds: Sequence[RefundPayment], causes: Mapping[UUID, str] = NO_CAUSES
) -> None:
    """Writes down what is about to be asked for; what cannot be given back fails here for good.

    A payment on account is refunded by this. A capture that is open is waited for: nothing is
    written. Raises ``InvalidInput`` for amounts that are not positive or in another currency, and
    ``Conflict`` for an id that was used for another amount.
    """
    lock_payments([one.order_id for one in refunds])
    found = selectors.positions([one.order_id for one in refunds])
    entries = []
    for index, refund in enumerate(refunds):
        position = found.get(refund.order_id)
        if position is not None:
            _check(index, refund, position)
            entry = _intent(refund, position)
            if entry is not None:
                entries.append(entry)
    ledger.append(entries, causes)


def _check(index: int, refund: RefundPayment, position: Position) -> None:
    errors = []
    name = f"refunds[{index}].amount"
    if refund.amount.amount <= 0:
        errors.append(FieldError(name, "min_value", "An amount is positive."))
    if refund.amount.currency.code != position.currency:
        errors.append(FieldError(name, "currency", f"It was paid in {position.currency}."))
    if errors:
        raise InvalidInput(errors=errors)
    part = position.part(refund.refund_id)
    if part is not None and part.amount != refund.amount.amount:
        raise Conflict(f"refund {refund.refund_id} was asked for with another amount")


def _intent(refund: RefundPayment, position: Position) -> Entry | None:
    part = position.part(refund.refund_id)
    if part is not None:
        if part.progress is not Progress.REQUESTED:
            return None
        # Somebody asked before and did not live to write the answer: it may have happened.
        return _entry(position, part, EntryState.UNKNOWN, UNANSWERED)
    part = Part(refund.refund_id, refund.amount.amount)
    code = _refusal(position, part)
    if not code and position.capture.is_open:
        return None
    if code:
        part.progress, state = Progress.FAILED, EntryState.FAILED
    elif position.on_account:
        part.progress, state = Progress.SUCCEEDED, EntryState.SUCCEEDED
    else:
        part.progress, state = Progress.REQUESTED, EntryState.REQUESTED
    position.add_part(part)  # the next of the same order reckons with it
    return _entry(position, part, state, code)


def _refusal(position: Position, part: Part) -> str:
    if position.is_being_reversed:
        return REVERSED
    if position.capture.is_open:
        return ""
    if position.capture is not Progress.SUCCEEDED:
        return NOT_CAPTURED
    return EXCEEDS_CAPTURED if part.amount > position.refundable else ""


def refunds_record(
    *,
    refunds: Sequence[RefundPayment],
    results: Sequence[PaymentResult],
    causes: Mapping[UUID, str] = NO_CAUSES,
) -> dict[UUID, MoneyState]:
    """Appends what became of ``refunds``, and tells it; a repeat appends nothing. Returns where
    the money of their orders is now. ``causes``: order → the id of the request behind it."""
    require_atomic(DATABASE)
    order_ids = [one.order_id for one in refunds]
    found = selectors.positions(order_ids)
    entries = []
    for refund, result in zip(refunds, results, strict=True):
        position = found.get(refund.order_id)
        part = position.part(refund.refund_id) if position else None
        state = STATE_OF.get(result.status)
        if part is not None and part.progress.is_open and state is not None:
            entries.append(_entry(position, part, state, result.code, result))
    ledger.append(entries, causes)
    return {one: position.state for one, position in selectors.positions(order_ids).items()}


def _entry(
    position: Position,
    part: Part,
    state: EntryState,
    code: str = "",
    result: PaymentResult | None = None,
) -> Entry:
    return Entry(
        position,
        EntryOperation.REFUND,
        state,
        code,
        result.detail if result else "",
        result.gateway_reference if result else "",
        part.amount,
        part.refund_id,
    )
