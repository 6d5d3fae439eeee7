"""Payments on account: no gateway knows them, the shop's own books are all there is.

A movement is one entry of the ledger, appended in the transaction of the caller's checkpoint.
"""

from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from apps.common.errors import Conflict
from apps.payments import ledger, selectors
from apps.payments.contracts import MoneyState, Operation, PaymentResult, PaymentStatus
from apps.payments.enums import CANCELLED, NOT_CAPTURED, EntryOperation, EntryState
from apps.payments.ledger import Entry
from apps.payments.locks import lock_payments
from apps.payments.position import Position, Progress

FORWARD = {
    Operation.AUTHORIZE: EntryOperation.AUTHORIZATION,
    Operation.CAPTURE: EntryOperation.CAPTURE,
}


def settle(
    operation: Operation, results: Sequence[PaymentResult], causes: Mapping[UUID, str]
) -> None:
    """Carries out the ``results`` of ``operation``; what was refused moves nothing. ``causes``:
    order → the id of the request that caused it.

    Raises ``Conflict`` where a payment no longer stands where its result left it.
    """
    going = [one for one in results if one.status is PaymentStatus.SUCCEEDED]
    if not going:
        return
    if operation is Operation.REVERSE:
        _reverse(going, causes)
    else:
        _forward(FORWARD[operation], going, causes)


def _forward(
    operation: EntryOperation, results: Sequence[PaymentResult], causes: Mapping[UUID, str]
) -> None:
    """One statement, no lock: the key of a movement settles once, and a reversal has settled the
    keys of what must not come after it."""
    if ledger.append_succeeded_in_books(operation, results, causes) == len(results):
        return
    order_ids = [one.order_id for one in results]
    found = selectors.positions(order_ids)  # some were settled before: how?
    for order_id in order_ids:
        if found[order_id].progress(operation) is not Progress.SUCCEEDED:
            raise Conflict(f"the payment of order {order_id} was undone meanwhile")


def _reverse(results: Sequence[PaymentResult], causes: Mapping[UUID, str]) -> None:
    expected = {one.order_id: one.state for one in results}
    lock_payments(list(expected))
    found = selectors.positions(list(expected))
    entries = [entry for position in found.values() for entry in _reversal(position)]
    if ledger.append(entries, causes) < len(entries):
        raise Conflict("a payment moved while it was undone")
    for order_id, position in selectors.positions(list(found)).items():
        if position.state is not expected[order_id]:
            raise Conflict(f"the payment of order {order_id} moved before it was undone")


def _reversal(position: Position) -> Iterator[Entry]:
    """What undoes the payment, and fences off what must not follow."""
    if position.state in (MoneyState.VOIDED, MoneyState.REFUNDED):
        return
    if position.authorization is Progress.NONE:
        yield Entry(position, EntryOperation.AUTHORIZATION, EntryState.FAILED, CANCELLED)
    elif position.capture is Progress.SUCCEEDED:
        amount = position.refundable
        yield Entry(position, EntryOperation.REFUND, EntryState.SUCCEEDED, amount=amount)
    elif position.authorization is Progress.SUCCEEDED:
        yield Entry(position, EntryOperation.CAPTURE, EntryState.FAILED, NOT_CAPTURED)
        yield Entry(position, EntryOperation.VOID, EntryState.SUCCEEDED)
