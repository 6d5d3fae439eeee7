"""Writes of the payment ledger, each inside the caller's transaction on ``orders``."""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from apps.common.databases import require_atomic
from apps.common.errors import FieldError, InvalidInput
from apps.payments import books, ledger, selectors
from apps.payments.contracts import (
    MoneyState,
    OpenPayment,
    Operation,
    PaymentResult,
    PaymentStatus,
)
from apps.payments.enums import (
    CANCELLED,
    DATABASE,
    NOT_CAPTURED,
    NOT_NEEDED,
    REVERSED,
    UNANSWERED,
    EntryOperation,
    EntryState,
    PaymentMethod,
)
from apps.payments.ledger import NO_CAUSES, Entry
from apps.payments.locks import lock_payments
from apps.payments.movements import KEPT
from apps.payments.position import Position, Progress

AUTHORIZATION, CAPTURE = EntryOperation.AUTHORIZATION, EntryOperation.CAPTURE
VOID, REFUND = EntryOperation.VOID, EntryOperation.REFUND
MAX_TOKEN = 64


def payments_open(*, payments: Sequence[OpenPayment]) -> None:
    """Opens a payment for each order; raises ``InvalidInput`` naming what is not acceptable."""
    require_atomic(DATABASE)
    errors = [
        FieldError(f"payments[{index}].{field}", code, text)
        for index, one in enumerate(payments)
        for field, code, text in _not_acceptable(one)
    ]
    if errors:
        raise InvalidInput(errors=errors)
    ledger.insert_payments(payments)


def _not_acceptable(one: OpenPayment) -> Iterator[tuple[str, str, str]]:
    if one.amount.amount <= 0:
        yield "amount", "min_value", "An amount is positive."
    if one.method == PaymentMethod.ACCOUNT:
        if one.card_token:
            yield "card_token", "not_allowed", "No card is charged for an order on account."
    elif one.method != PaymentMethod.CARD:
        yield "method", "invalid_choice", "card or account."
    elif not 0 < len(one.card_token) <= MAX_TOKEN:
        yield "card_token", "length", "1 to 64 characters."


def operation_prepare(*, operation: Operation, order_ids: Sequence[UUID]) -> None:
    """Writes down what is about to be asked of the gateway, so that no request is ever unknown.

    Decided under lock: once a reversal is written down, no authorization or capture may begin,
    and a reversal that finds nothing asked for fences the authorization off for good. Payments on
    account ask nobody: theirs is all in ``operation_record``.
    """
    by_card = lock_payments(order_ids, method=PaymentMethod.CARD)
    if not by_card:
        return
    intents = {
        Operation.AUTHORIZE: _authorization_intents,
        Operation.CAPTURE: _capture_intents,
        Operation.REVERSE: _reversal_intents,
    }[operation]
    found = selectors.positions(by_card).values()
    ledger.append([entry for position in found for entry in intents(position)])


def _authorization_intents(position: Position) -> Iterator[Entry]:
    if not position.is_being_reversed:
        yield from _forward_intent(position, AUTHORIZATION)


def _capture_intents(position: Position) -> Iterator[Entry]:
    if position.authorization is Progress.SUCCEEDED and not position.is_being_reversed:
        yield from _forward_intent(position, CAPTURE)


def _forward_intent(position: Position, operation: EntryOperation) -> Iterator[Entry]:
    progress = position.progress(operation)
    if progress is Progress.NONE:
        yield Entry(position, operation, EntryState.REQUESTED)
    elif progress is Progress.REQUESTED:
        # Somebody asked before and did not live to write the answer: it may have happened.
        yield Entry(position, operation, EntryState.UNKNOWN, UNANSWERED)


def _reversal_intents(position: Position) -> Iterator[Entry]:
    if position.authorization is Progress.NONE:
        yield Entry(position, AUTHORIZATION, EntryState.FAILED, CANCELLED)
    elif position.authorization is Progress.FAILED:
        return
    elif position.capture is Progress.SUCCEEDED:
        # How much is left is certain once the refunds of parts are.
        rest = position.refundable
        if rest > 0 and position.refund is Progress.NONE and not position.has_open_parts:
            yield Entry(position, REFUND, EntryState.REQUESTED, amount=rest)
    else:
        yield Entry(position, VOID, EntryState.REQUESTED)
        if position.capture.is_open:  # which of the two it takes shows at the gateway
            yield Entry(position, REFUND, EntryState.REQUESTED)


def operation_record(
    *,
    operation: Operation,
    results: Sequence[PaymentResult],
    causes: Mapping[UUID, str] = NO_CAUSES,
) -> None:
    """Appends what became of ``operation``, and tells it; a repeat appends nothing. ``causes``:
    order → the id of the request that caused it.

    For payments on account this is the movement itself: raises ``Conflict`` where one was undone
    or moved since its result was made, so that the caller's transaction leaves nothing behind.
    """
    require_atomic(DATABASE)
    on_account = [one for one in results if one.method == PaymentMethod.ACCOUNT]
    books.settle(operation, on_account, causes)
    by_card = [one for one in results if one.method != PaymentMethod.ACCOUNT]
    if not by_card:
        return
    entries = {
        Operation.AUTHORIZE: _authorization_entries,
        Operation.CAPTURE: _capture_entries,
        Operation.REVERSE: reversal_entries,
    }[operation]
    positions = selectors.positions([one.order_id for one in by_card])
    ledger.append(
        [
            entry
            for result in by_card
            if result.order_id in positions
            for entry in entries(positions[result.order_id], result)
        ],
        causes,
    )


def _authorization_entries(position: Position, result: PaymentResult) -> Iterator[Entry]:
    yield from _forward_entries(position, AUTHORIZATION, result)


def _capture_entries(position: Position, result: PaymentResult) -> Iterator[Entry]:
    if position.capture is not Progress.NONE:
        yield from _forward_entries(position, CAPTURE, result)


def _forward_entries(
    position: Position, operation: EntryOperation, result: PaymentResult
) -> Iterator[Entry]:
    if result.status is PaymentStatus.SUCCEEDED:
        yield _entry(position, operation, EntryState.SUCCEEDED, result)
    elif result.status is PaymentStatus.UNKNOWN:
        yield _entry(position, operation, EntryState.UNKNOWN, result)
    elif result.status is PaymentStatus.DECLINED and result.code != REVERSED:
        # What is being reversed is settled by the reversal, which knows what there was.
        yield _entry(position, operation, EntryState.FAILED, result)


def reversal_entries(position: Position, result: PaymentResult) -> Iterator[Entry]:
    if result.status is PaymentStatus.SUCCEEDED:
        yield from reversed_entries(position, result)
    elif result.status is PaymentStatus.UNKNOWN:
        for operation in (VOID, REFUND):
            if position.progress(operation) is Progress.REQUESTED:
                yield _entry(position, operation, EntryState.UNKNOWN, result)
    elif result.status is PaymentStatus.DECLINED:
        refused = REFUND if result.state in KEPT else VOID
        yield _entry(position, refused, EntryState.FAILED, result)


def reversed_entries(position: Position, result: PaymentResult) -> Iterator[Entry]:
    """Settles everything that was open: the reversal knows how it all ended."""
    ended: dict[EntryOperation, str] = {}  # operation → why it failed, '' = it succeeded
    if result.state is MoneyState.VOIDED:
        ended = {AUTHORIZATION: "", CAPTURE: NOT_CAPTURED, VOID: "", REFUND: NOT_NEEDED}
    elif result.state is MoneyState.REFUNDED:
        ended = {AUTHORIZATION: "", CAPTURE: "", VOID: NOT_NEEDED, REFUND: ""}
    elif result.state is MoneyState.DECLINED:
        ended = {AUTHORIZATION: result.code, VOID: NOT_NEEDED, REFUND: NOT_NEEDED}
    for operation, code in ended.items():
        if position.progress(operation).is_open:
            state = EntryState.FAILED if code else EntryState.SUCCEEDED
            yield _settled(position, operation, state, code, result)


def _settled(
    position: Position, operation: EntryOperation, state: EntryState, code: str, result
) -> Entry:
    amount = position.to_reverse if operation is REFUND else position.amount
    reference = result.gateway_reference
    return Entry(position, operation, state, code, gateway_reference=reference, amount=amount)


def _entry(
    position: Position, operation: EntryOperation, state: EntryState, result: PaymentResult
) -> Entry:
    amount = position.to_reverse if operation is REFUND else position.amount
    return Entry(
        position, operation, state, result.code, result.detail, result.gateway_reference, amount
    )
