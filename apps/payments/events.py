"""What the ledger's entries tell: the events that payments publish."""

from uuid import UUID

from moneyed import Money

from apps.messaging.outbox import Event
from apps.payments.enums import (
    CANCELLED,
    NOT_CAPTURED,
    NOT_NEEDED,
    REVERSED,
    EntryOperation,
    EntryState,
)
from apps.payments.event_contracts import (
    PAYMENT_AUTHORIZED,
    PAYMENT_CAPTURED,
    PAYMENT_FAILED,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
    PaymentFailed,
    PaymentMoved,
    PaymentRefunded,
)

MOVED = {
    EntryOperation.AUTHORIZATION: PAYMENT_AUTHORIZED,
    EntryOperation.CAPTURE: PAYMENT_CAPTURED,
    EntryOperation.VOID: PAYMENT_VOIDED,
}
# Closed by the shop's own bookkeeping: nobody was refused anything.
CLOSED = (CANCELLED, REVERSED, NOT_NEEDED, NOT_CAPTURED)


def payment_event(
    operation: EntryOperation,
    state: EntryState,
    *,
    order_id: UUID,
    payment_id: UUID,
    amount: Money,
    method: str,
    code: str = "",
    refund_id: UUID | None = None,
    correlation_id: str = "",
) -> Event | None:
    """What a ledger entry tells, if anything: what was asked for and has no certain answer is no
    fact yet. The version is that of the entry, which its insert returns."""
    if state is EntryState.SUCCEEDED:
        if operation is EntryOperation.REFUND:
            contract = PAYMENT_REFUNDED
            payload = PaymentRefunded(order_id, payment_id, amount, method, refund_id)
        else:
            contract = MOVED[operation]
            payload = PaymentMoved(order_id, payment_id, amount, method)
    elif state is EntryState.FAILED and (refund_id is not None or code not in CLOSED):
        contract = PAYMENT_FAILED
        payload = PaymentFailed(
            order_id, payment_id, operation.value, amount, method, code, refund_id
        )
    else:
        return None
    return Event(contract, payment_id, 0, payload, correlation_id)
