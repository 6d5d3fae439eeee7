"""One payment's operation at the gateway: what is asked, in which order, and what it means.

Nothing here touches a database, so that many of these run in threads at once.
"""

from apps.payments.contracts import (
    GatewayRecord,
    MoneyState,
    Operation,
    PaymentResult,
    PaymentStatus,
)
from apps.payments.enums import CANCELLED, REVERSED, EntryOperation
from apps.payments.gateways import Declined, Gateway, Refused, Unanswered, Unreachable
from apps.payments.position import Position, Progress

UNDONE = (MoneyState.VOIDED, MoneyState.REFUNDED)
ENTRIES_OF = {
    Operation.AUTHORIZE: (EntryOperation.AUTHORIZATION,),
    Operation.CAPTURE: (EntryOperation.CAPTURE,),
    Operation.REVERSE: (EntryOperation.VOID, EntryOperation.REFUND),
}
# Each round of a reversal ends it unless another request for the payment came in between.
ROUNDS = 4


def perform(gateway: Gateway, operation: Operation, position: Position) -> PaymentResult:
    """Carries out ``operation``; never raises what a gateway may do."""
    run = {
        Operation.AUTHORIZE: _authorize,
        Operation.CAPTURE: _capture,
        Operation.REVERSE: _reverse,
    }[operation]
    try:
        return run(gateway, position)
    except Declined as no:
        return _result(position, PaymentStatus.DECLINED, _declined_state(operation, position), no)
    except (Unanswered, Refused) as problem:
        return _result(position, PaymentStatus.UNKNOWN, position.state, problem)
    except Unreachable as problem:
        return not_reached(operation, position, problem)


def settle_in_books(operation: Operation, position: Position) -> PaymentResult:
    """What becomes of ``operation`` on a payment on account, which no gateway knows: it succeeds
    unless the payment stands elsewhere. ``services.operation_record`` carries it out."""
    if operation is Operation.REVERSE:
        return _already_reversed(position) or _succeeded(
            position,
            MoneyState.REFUNDED if position.capture is Progress.SUCCEEDED else MoneyState.VOIDED,
        )
    if operation is Operation.AUTHORIZE:
        return _already_authorized(position) or _succeeded(position, MoneyState.AUTHORIZED)
    return _already_captured(position) or _succeeded(position, MoneyState.CAPTURED)


def not_reached(operation: Operation, position: Position, problem: Unreachable) -> PaymentResult:
    """This call did not arrive; that says nothing of an earlier one without an answer."""
    unknown = any(position.progress(one) is Progress.UNKNOWN for one in ENTRIES_OF[operation])
    status = PaymentStatus.UNKNOWN if unknown else PaymentStatus.UNREACHABLE
    return _result(position, status, position.state, problem)


def _already_authorized(position: Position) -> PaymentResult | None:
    """The answer that our ledger knows, if it does."""
    if position.authorization is Progress.FAILED:
        return _declined(position, position.state, position.authorization_code)
    if position.is_being_reversed:
        return _declined(position, position.state, REVERSED)
    if position.authorization is Progress.SUCCEEDED:
        return _succeeded(position, position.state)
    return None


def _already_captured(position: Position) -> PaymentResult | None:
    if position.capture is Progress.FAILED:
        return _declined(position, position.state, position.capture_code)
    if position.is_being_reversed:
        return _declined(position, position.state, REVERSED)
    if position.capture is Progress.SUCCEEDED:
        return _succeeded(position, position.state)
    if position.authorization is not Progress.SUCCEEDED:
        return _declined(position, position.state, "not_authorized")
    return None


def _already_reversed(position: Position) -> PaymentResult | None:
    if position.state in (*UNDONE, MoneyState.DECLINED):
        return _succeeded(position, position.state, code=position.authorization_code)
    if position.authorization in (Progress.NONE, Progress.FAILED):
        return _succeeded(position, MoneyState.NOT_PAID, code=CANCELLED)
    if position.reversal_code:
        return _declined(position, position.state, position.reversal_code)
    return None


def _authorize(gateway: Gateway, position: Position) -> PaymentResult:
    known = _already_authorized(position)
    if known is not None:
        return known
    record = None
    if position.authorization is Progress.UNKNOWN:
        record = gateway.find(position.payment_id)
    return _forward(position, record or _ask_authorization(gateway, position))


def _capture(gateway: Gateway, position: Position) -> PaymentResult:
    known = _already_captured(position)
    if known is not None:
        return known
    record = gateway.find(position.payment_id) if position.capture is Progress.UNKNOWN else None
    if record is None or record.state is MoneyState.AUTHORIZED:
        try:
            record = gateway.capture(
                position.payment_id,
                position.money(position.amount),
                position.key(EntryOperation.CAPTURE),
            )
        except Refused as refused:
            record = gateway.find(position.payment_id)
            if record is None or record.state is MoneyState.AUTHORIZED:
                raise refused
    return _forward(position, record)


def _forward(position: Position, record: GatewayRecord) -> PaymentResult:
    """What a record of the gateway means to somebody who wants the money."""
    if record.state is MoneyState.DECLINED:
        return _declined(position, record.state, record.code, record)
    if record.state in UNDONE:
        return _declined(position, record.state, REVERSED, record)
    return _succeeded(position, record.state, record)


def _reverse(gateway: Gateway, position: Position) -> PaymentResult:
    known = _already_reversed(position)
    if known is not None:
        return known
    record, state = None, _certain(position)
    for _ in range(ROUNDS):
        if state is None:
            try:
                record = gateway.find(position.payment_id) or _ask_authorization(gateway, position)
            except Declined as no:
                return _succeeded(position, MoneyState.DECLINED, code=no.code)
            state = record.state
        if state not in (MoneyState.AUTHORIZED, MoneyState.CAPTURED):
            return _succeeded(position, state, record, code=record.code)
        try:
            record = _undo(gateway, position, state)
            state = record.state
        except Refused:
            state = None  # something came in between: look again
        except Declined as no:
            return _declined(position, state, no.code)
    raise Unanswered("unsettled", f"found {state} after {ROUNDS} rounds")


def _certain(position: Position) -> MoneyState | None:
    """The state if nothing can be on its way that would change it."""
    if position.authorization.is_open or position.capture.is_open:
        return None
    return position.state


def _undo(gateway: Gateway, position: Position, state: MoneyState) -> GatewayRecord:
    if state is MoneyState.AUTHORIZED:
        return gateway.void(position.payment_id, position.key(EntryOperation.VOID))
    key = position.key(EntryOperation.REFUND)
    return gateway.refund(position.payment_id, position.money(position.amount), key)


def _ask_authorization(gateway: Gateway, position: Position) -> GatewayRecord:
    """Asks with the one key; so a request still under way and this one are the same."""
    key = position.key(EntryOperation.AUTHORIZATION)
    amount = position.money(position.amount)
    return gateway.authorize(position.payment_id, amount, position.card_token, key)


def _declined_state(operation: Operation, position: Position) -> MoneyState:
    return MoneyState.DECLINED if operation is Operation.AUTHORIZE else position.state


def _succeeded(
    position: Position, state: MoneyState, record: GatewayRecord | None = None, code: str = ""
) -> PaymentResult:
    return PaymentResult(
        position.order_id,
        PaymentStatus.SUCCEEDED,
        state,
        code=code,
        gateway_reference=record.gateway_reference if record else "",
        method=position.method,
    )


def _declined(
    position: Position, state: MoneyState, code: str, record: GatewayRecord | None = None
) -> PaymentResult:
    return PaymentResult(
        position.order_id,
        PaymentStatus.DECLINED,
        state,
        code=code,
        gateway_reference=record.gateway_reference if record else "",
        method=position.method,
    )


def _result(
    position: Position,
    status: PaymentStatus,
    state: MoneyState,
    problem: Declined | Refused | Unanswered | Unreachable,
) -> PaymentResult:
    return PaymentResult(position.order_id, status, state, problem.code, problem.detail)
