"""The one place that writes payments and ledger entries, in sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from apps.common.databases import require_atomic, write
from apps.common.ids import new_id
from apps.messaging.outbox import Event, append_with
from apps.payments.contracts import OpenPayment, PaymentResult
from apps.payments.enums import DATABASE, FOUND, KEY_NAME, EntryOperation, EntryState
from apps.payments.events import payment_event
from apps.payments.position import Position

NO_CAUSES: Mapping[UUID, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry to append, for the whole amount of ``position`` unless another is given.

    ``refund_id`` is that of a refund of a part; ``found`` corrects what was settled otherwise, by
    what the gateway has on record.
    """

    position: Position
    operation: EntryOperation
    state: EntryState
    code: str = ""
    detail: str = ""
    gateway_reference: str = ""
    amount: Decimal | None = None
    refund_id: UUID | None = None
    found: bool = False

    @property
    def key(self) -> str:
        if self.found:
            return f"{self.position.key(self.operation)}:{FOUND}"
        if self.refund_id is None:
            return self.position.key(self.operation)
        return self.position.refund_key(self.refund_id)


def insert_payments(payments: Sequence[OpenPayment]) -> None:
    """Inserts a payment for each order; a second one for an order is an ``IntegrityError``."""
    require_atomic(DATABASE)
    write(
        DATABASE,
        """
        INSERT INTO payments_payment (id, order_id, amount, currency, card_token, method)
        SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::numeric[], %s::text[], %s::text[],
                             %s::text[])
        """,
        [
            [new_id() for _ in payments],
            [one.order_id for one in payments],
            [one.amount.amount for one in payments],
            [one.amount.currency.code for one in payments],
            [one.card_token for one in payments],
            [one.method for one in payments],
        ],
    )


def append_succeeded_in_books(
    operation: EntryOperation, results: Sequence[PaymentResult], causes: Mapping[UUID, str]
) -> int:
    """Appends the success of ``operation`` for the payments of ``results`` with one statement,
    and what it tells, leaving out what is settled already; returns how many it appended."""
    events = {
        f"{one.payment_id}:{KEY_NAME[operation]}": payment_event(
            operation,
            EntryState.SUCCEEDED,
            order_id=one.order_id,
            payment_id=one.payment_id,
            amount=one.amount,
            method=one.method,
            correlation_id=causes.get(one.order_id, ""),
        )
        for one in results
    }
    order_ids = [one.order_id for one in results]
    params = [operation.value, KEY_NAME[operation], order_ids]
    return len(append_with(DATABASE, _SUCCEEDED, params, events))


_SUCCEEDED = """
    INSERT INTO payments_paymententry
        (payment_id, operation, state, amount, currency, idempotency_key,
         gateway_reference, code, detail)
    SELECT id, %s::text, 'succeeded', amount, currency, id::text || ':' || %s::text, '', '', ''
    FROM payments_payment WHERE order_id = ANY(%s::uuid[]) ORDER BY id
    ON CONFLICT DO NOTHING RETURNING idempotency_key::text, id
"""
# Asked for and answered in one go, an entry's key stands there twice: its answer is what is told.
_ENTRIES = """
    INSERT INTO payments_paymententry
        (payment_id, operation, state, amount, currency, idempotency_key,
         gateway_reference, code, detail, refund_id)
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::numeric[], %s::text[],
                         %s::text[], %s::text[], %s::text[], %s::text[], %s::uuid[])
    ON CONFLICT DO NOTHING
    RETURNING CASE WHEN state IN ('succeeded', 'failed') THEN idempotency_key::text END, id
"""


def append(entries: Sequence[Entry], causes: Mapping[UUID, str] = NO_CAUSES) -> int:
    """Appends ``entries`` and the events they tell, leaving out what stands there already;
    returns how many were new. ``causes``: order → the id of the request that caused it.

    Keys are inserted in order, so that two overlapping batches cannot deadlock.
    """
    require_atomic(DATABASE)
    if not entries:
        return 0
    ordered = sorted(entries, key=lambda one: one.key)
    params = [
        [one.position.payment_id for one in ordered],
        [one.operation.value for one in ordered],
        [one.state.value for one in ordered],
        [one.position.amount if one.amount is None else one.amount for one in ordered],
        [one.position.currency for one in ordered],
        [one.key for one in ordered],
        [one.gateway_reference for one in ordered],
        [one.code[:60] for one in ordered],
        [one.detail for one in ordered],
        [one.refund_id for one in ordered],
    ]
    events = {one.key: event for one in ordered if (event := _event(one, causes))}
    return len(append_with(DATABASE, _ENTRIES, params, events))


def _event(entry: Entry, causes: Mapping[UUID, str]) -> Event | None:
    position = entry.position
    return payment_event(
        entry.operation,
        entry.state,
        order_id=position.order_id,
        payment_id=position.payment_id,
        amount=position.money(position.amount if entry.amount is None else entry.amount),
        method=position.method,
        code=entry.code[:60],
        refund_id=entry.refund_id,
        correlation_id=causes.get(position.order_id, ""),
    )
