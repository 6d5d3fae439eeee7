"""Our ledger against the gateway's record: at most one net capture per order, to the penny."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from uuid import UUID

from moneyed import Money

from apps.common.audit import Finding
from apps.payments import selectors
from apps.payments.contracts import GatewayRecord, MoneyState
from apps.payments.gateways import Gateway
from apps.payments.position import Position

CHUNK = 1000
# At the gateway there is nothing, or nothing that holds money.
NOTHING = (MoneyState.NOT_PAID, MoneyState.DECLINED)


def compare(gateway: Gateway, settled: Callable[[Sequence[UUID]], set[UUID]]) -> list[Finding]:
    """The findings that stand after a second look at each suspect.

    The gateway is read first: what our ledger has meanwhile learnt shows in the second look.
    """
    records = {one.reference: one for one in gateway.records()}
    suspects: list[Position] = []
    for position in selectors.all_positions():
        record = records.pop(str(position.payment_id), None)
        if any(differences(position, record)):
            suspects.append(position)
    known = selectors.orders_of(list(records))  # opened after our ledger was read
    findings = [
        Finding(
            "capture_unknown_to_us", record.reference, f"{_text(record.net)} kept at the gateway"
        )
        for record in records.values()
        if record.captures and record.reference not in known
    ]
    findings += [
        Finding("entry_without_payment", str(entry_id), "a ledger entry of no payment")
        for entry_id in selectors.entries_without_payment()
    ]
    return findings + _confirmed(gateway, suspects, settled)


def gateway_records(gateway: Gateway) -> Iterator[tuple[UUID | None, GatewayRecord]]:
    """The gateway's records with the order of each, ``None`` if it is not ours."""
    records = gateway.records()
    while chunk := list(islice(records, CHUNK)):
        orders = selectors.orders_of([one.reference for one in chunk])
        for one in chunk:
            yield orders.get(one.reference), one


def find_at_gateway(gateway: Gateway, order_ids: Sequence[UUID]) -> dict[UUID, GatewayRecord]:
    """The gateway's record of each order, as far as it has one."""
    found = {
        order_id: gateway.find(position.payment_id)
        for order_id, position in selectors.positions(order_ids).items()
    }
    return {order_id: record for order_id, record in found.items() if record is not None}


def _confirmed(
    gateway: Gateway,
    suspects: Sequence[Position],
    settled: Callable[[Sequence[UUID]], set[UUID]],
) -> list[Finding]:
    """Reads each suspect anew: an order at rest, then the gateway, then our ledger."""
    at_rest = settled([one.order_id for one in suspects]) if suspects else set()
    order_ids = [one.order_id for one in suspects]
    records = find_at_gateway(gateway, order_ids)
    return [
        Finding(check, str(order_id), detail)
        for order_id, position in selectors.positions(order_ids).items()
        if order_id in at_rest
        for check, detail in differences(position, records.get(order_id))
    ]


def differences(position: Position, record: GatewayRecord | None) -> Iterator[tuple[str, str]]:
    """How the two accounts of one payment differ, as check and detail."""
    if position.on_account:
        if record is not None:
            yield "on_account_at_gateway", f"{record.state} at the gateway, bought on account"
        return
    if record is None:
        if position.state not in NOTHING:
            yield "unknown_to_gateway", f"{position.state} by our ledger"
        elif position.is_open:
            yield "unsettled", "asked for, and the gateway knows nothing of it"
        return
    captured, refunded = map(position.money, (position.captured, position.refunded))
    if record.captures > 1:
        yield "captured_twice", f"{record.captures} captures at the gateway"
    if (record.captured, record.refunded) != (captured, refunded):
        yield (
            "amounts_differ",
            f"captured {_text(record.captured)}, refunded {_text(record.refunded)} at the gateway;"
            f" {_text(captured)} and {_text(refunded)} by our ledger",
        )
    elif record.state is not position.state:
        yield "states_differ", f"{record.state} at the gateway, {position.state} by our ledger"
    elif position.is_open:
        yield "unsettled", f"{record.state}, and a movement without an answer"


def _text(money: Money) -> str:
    return f"{money.amount} {money.currency.code}"
