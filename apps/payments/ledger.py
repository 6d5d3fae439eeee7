"""The one place that writes payments and ledger entries, in sets."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from apps.common.databases import execute, require_atomic, write
from apps.common.ids import new_id
from apps.payments.contracts import OpenPayment
from apps.payments.enums import DATABASE, FOUND, KEY_NAME, EntryOperation, EntryState
from apps.payments.position import Position


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


def append_succeeded_in_books(operation: EntryOperation, order_ids: Sequence[UUID]) -> int:
    """Appends the success of ``operation`` for the payments of ``order_ids`` with one statement,
    leaving out what is settled already; returns how many it appended."""
    require_atomic(DATABASE)
    return execute(
        DATABASE,
        """
        INSERT INTO payments_paymententry
            (payment_id, operation, state, amount, currency, idempotency_key,
             gateway_reference, code, detail)
        SELECT id, %s, 'succeeded', amount, currency, id::text || ':' || %s, '', '', ''
        FROM payments_payment WHERE order_id = ANY(%s) ORDER BY id
        ON CONFLICT DO NOTHING
        """,
        [operation.value, KEY_NAME[operation], list(order_ids)],
    )


def append(entries: Sequence[Entry]) -> int:
    """Appends ``entries``, leaving out what stands there already; returns how many were new.

    Keys are inserted in order, so that two overlapping batches cannot deadlock.
    """
    require_atomic(DATABASE)
    if not entries:
        return 0
    ordered = sorted(entries, key=lambda one: one.key)
    return execute(
        DATABASE,
        """
        INSERT INTO payments_paymententry
            (payment_id, operation, state, amount, currency, idempotency_key,
             gateway_reference, code, detail, refund_id)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::numeric[], %s::text[],
                             %s::text[], %s::text[], %s::text[], %s::text[], %s::uuid[])
        ON CONFLICT DO NOTHING
        """,
        [
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
        ],
    )
