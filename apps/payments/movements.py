"""One payment's operation at the gateway: what is asked, in which order, and what it means.

Nothing here touches a database, so that many of these run in threads at once.
"""

from uuid import UUID

from django.conf import settings

from apps.payments.contracts import (
    GatewayRecord,
    MoneyState,
    Operation,
    PaymentResult,
    PaymentStatus,
)
from apps.payments.enums import CANCELLED, REVERSED, EntryOperation
from apps.payments.gateways import Declined, Gateway, Refused, Unanswered, Unreachable
from apps.payments.position import Part, Position, Progress

KEPT = (MoneyState.CAPTURED, MoneyState.PARTIALLY_REFUNDED)
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
    if position.capture is Progress.SUCCEEDED and position.refund is Progress.NONE:
        # How much is left was not certain when this was prepared.
        open_parts = Unreachable("refund_open", "a refund of a part had no answer yet")
        return _result(position, PaymentStatus.UNREACHABLE, position.state, open_parts)
    record, state = None, _certain(position)
    for _ in range(ROUNDS):
        if state is None:
            try:
                record = gateway.find(position.payment_id) or _ask_authorization(gateway, position)
            except Declined as no:
                return _succeeded(position, MoneyState.DECLINED, code=no.code)
            state = record.state
            if state in KEPT and record.net.amount < position.to_reverse:
                return _too_large(position, record)
        if state not in (MoneyState.AUTHORIZED, *KEPT):
            return _succeeded(position, state, record, code=record.code)
        try:
            record = undo(gateway, position, state)
            state = record.state
        except Refused:
            state = None  # something came in between: look again
        except Declined as no:
            return _declined(position, state, no.code, detail=no.detail)
    raise Unanswered("unsettled", f"found {state} after {ROUNDS} rounds")


def _certain(position: Position) -> MoneyState | None:
    """The state if nothing was or can be on its way that would change it."""
    asked = Progress.UNKNOWN in (position.void, position.refund)
    if asked or position.authorization.is_open or position.capture.is_open:
        return None
    return position.state


def undo(gateway: Gateway, position: Position, state: MoneyState) -> GatewayRecord:
    """Voids what is held, refunds what is left of what was captured, each with its one key."""
    if state is MoneyState.AUTHORIZED:
        return gateway.void(position.payment_id, position.key(EntryOperation.VOID))
    key = position.key(EntryOperation.REFUND)
    return gateway.refund(position.payment_id, position.money(position.to_reverse), key)


def refund_part(gateway: Gateway, position: Position, refund_id: UUID) -> PaymentResult:
    """Gives back the part of ``refund_id``; never raises what a gateway may do.

    A repeat with the same key gets the first answer, so there is no need to ask what became of an
    earlier request, unless it is so old that the gateway may have forgotten the key.
    """
    known = part_settled(position, refund_id)
    if known is not None:
        return known
    part = position.part(refund_id)
    key = position.refund_key(refund_id)
    try:
        if part.progress is Progress.UNKNOWN and part.age > settings.GATEWAY_KEY_SECONDS:
            _must_not_have_happened(gateway, position)
        record = gateway.refund(position.payment_id, position.money(part.amount), key)
        return _succeeded(position, record.state, record)
    except Declined as no:
        return _result(position, PaymentStatus.DECLINED, position.state, no)
    except Refused as refused:
        return _refused_part(gateway, position, part, refused)
    except Unanswered as problem:
        return _result(position, PaymentStatus.UNKNOWN, position.state, problem)
    except Unreachable as problem:
        return part_not_reached(position, refund_id, problem)


def _must_not_have_happened(gateway: Gateway, position: Position) -> None:
    """Raises ``Unanswered`` unless the gateway gave back only what our ledger knows: then no
    refund without an answer can have been carried out."""
    record = gateway.find(position.payment_id)
    if record is None or record.refunded.amount != position.refunded:
        found = record.refunded if record else "nothing"
        detail = f"asked for long ago; {found} refunded at the gateway, {position.refunded} by us"
        raise Unanswered("key_expired", detail)


def part_settled(position: Position, refund_id: UUID) -> PaymentResult | None:
    """The answer that our ledger knows, if it does."""
    part = position.part(refund_id)
    if part is None:
        not_yet = Unreachable("capture_open", "the capture has no answer yet")
        return _result(position, PaymentStatus.UNREACHABLE, position.state, not_yet)
    if part.progress is Progress.SUCCEEDED:
        return _succeeded(position, position.state)
    if part.progress is Progress.FAILED:
        return _declined(position, position.state, part.code)
    return None


def part_not_reached(position: Position, refund_id: UUID, problem: Unreachable) -> PaymentResult:
    """This call did not arrive; that says nothing of an earlier one without an answer."""
    unknown = position.part(refund_id).progress is Progress.UNKNOWN
    status = PaymentStatus.UNKNOWN if unknown else PaymentStatus.UNREACHABLE
    return _result(position, status, position.state, problem)


def _refused_part(
    gateway: Gateway, position: Position, part: Part, refused: Refused
) -> PaymentResult:
    """Refused is refused for good where less is left than is asked for: that never grows."""
    try:
        record = gateway.find(position.payment_id)
    except (Unanswered, Unreachable):
        record = None
    if record is not None and record.net.amount < part.amount:
        return _too_large(position, record)
    return _result(position, PaymentStatus.UNKNOWN, position.state, refused)


def _too_large(position: Position, record: GatewayRecord) -> PaymentResult:
    """More is to be given back than the gateway still holds of the payment."""
    detail = f"captured {record.captured}, refunded {record.refunded} at the gateway"
    return _declined(position, position.state, "amount_too_large", record, detail)


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
        payment_id=position.payment_id,
        amount=position.money(position.amount),
    )


def _declined(
    position: Position,
    state: MoneyState,
    code: str,
    record: GatewayRecord | None = None,
    detail: str = "",
) -> PaymentResult:
    return PaymentResult(
        position.order_id,
        PaymentStatus.DECLINED,
        state,
        code=code,
        detail=detail,
        gateway_reference=record.gateway_reference if record else "",
        method=position.method,
        payment_id=position.payment_id,
        amount=position.money(position.amount),
    )


def _result(
    position: Position,
    status: PaymentStatus,
    state: MoneyState,
    problem: Declined | Refused | Unanswered | Unreachable,
) -> PaymentResult:
    return PaymentResult(position.order_id, status, state, problem.code, problem.detail)
