"""What is wrong with a payment and what may be done about it: pure decisions."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from apps.payments.audits import differences
from apps.payments.contracts import GatewayRecord, MoneyState, Standing
from apps.payments.enums import (
    FOUND,
    NOT_CAPTURED,
    NOT_NEEDED,
    DiscrepancyKind,
    EntryOperation,
    EntryState,
)
from apps.payments.ledger import Entry
from apps.payments.movements import KEPT
from apps.payments.position import Position, Progress

AUTHORIZATION, CAPTURE = EntryOperation.AUTHORIZATION, EntryOperation.CAPTURE
VOID, REFUND = EntryOperation.VOID, EntryOperation.REFUND
STANDS = {
    Standing.PARKED: "waits for a person",
    Standing.KEPT: "is sold",
    Standing.UNDONE: "is cancelled",
    Standing.MISSING: "does not exist",
}
DEAD = (Standing.UNDONE, Standing.MISSING)


class Action(StrEnum):
    REPORT = ""  # a person decides
    ANSWER = "answer"  # append the gateway's answer where ours is open
    VOID = "void"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: DiscrepancyKind
    action: Action
    detail: str


def holds_money(record: GatewayRecord) -> bool:
    return record.state is MoneyState.AUTHORIZED or record.net.amount > 0


def judge_stranger(record: GatewayRecord) -> Verdict | None:
    """A payment that our ledger does not know: another shop's, or something very wrong. Never
    acted upon: its money is not known to be ours."""
    if not holds_money(record):
        return None
    held = record.state is MoneyState.AUTHORIZED
    kind = DiscrepancyKind.UNKNOWN_AUTHORIZATION if held else DiscrepancyKind.UNKNOWN_CAPTURE
    return Verdict(kind, Action.REPORT, _at_gateway(record))


def judge(position: Position, record: GatewayRecord | None, standing: Standing) -> Verdict | None:
    """A payment of ours whose order is at rest; ``None`` where all is well or somebody works."""
    if standing is Standing.LIVE:
        return None
    detail = _detail(position, record, standing)
    if record is not None and not position.on_account:
        if next(answers(position, record), None) is not None:
            return Verdict(DiscrepancyKind.UNRECORDED_ANSWER, Action.ANSWER, detail)
        if standing in DEAD and holds_money(record):
            return _of_dead_order(position, record, standing, detail)
    for check, _ in differences(position, record):
        return Verdict(_kind(check, position, record), Action.REPORT, detail)
    return None


def _of_dead_order(
    position: Position, record: GatewayRecord, standing: Standing, detail: str
) -> Verdict:
    if record.state is MoneyState.AUTHORIZED:
        safe = position.void in (Progress.NONE, Progress.REQUESTED, Progress.UNKNOWN)
        action = Action.VOID if safe else Action.REPORT
        return Verdict(DiscrepancyKind.ORPHAN_AUTHORIZATION, action, detail)
    if record.captures > 1:
        return Verdict(DiscrepancyKind.CAPTURED_TWICE, Action.REPORT, detail)
    safe = standing is Standing.UNDONE and _refund_is_free(position, record)
    action = Action.REFUND if safe else Action.REPORT
    return Verdict(DiscrepancyKind.DEAD_CAPTURE, action, detail)


def _refund_is_free(position: Position, record: GatewayRecord) -> bool:
    """The one key of the refund is unused or means this very amount, and nothing else of the
    payment is in doubt."""
    if position.refund in (Progress.FAILED, Progress.SUCCEEDED) or position.has_open_parts:
        return False
    if position.refund.is_open and position.to_reverse != record.net.amount:
        return False
    return (
        record.refunded.amount == position.refunded
        and position.captured in (0, record.captured.amount)
        and record.captured.currency.code == position.currency
    )


def answers(position: Position, record: GatewayRecord) -> Iterator[Entry]:
    """The entries that settle what is open by our ledger and known at the gateway."""
    declined = record.state is MoneyState.DECLINED
    if position.authorization.is_open:
        yield _answer(position, record, AUTHORIZATION, (record.code or FOUND) if declined else "")
    if position.capture.is_open:
        if record.captures == 1:
            yield _answer(position, record, CAPTURE)
        elif declined or record.state is MoneyState.VOIDED:
            yield _answer(position, record, CAPTURE, NOT_CAPTURED)
    if position.void.is_open and record.state is not MoneyState.AUTHORIZED:
        voided = record.state is MoneyState.VOIDED
        yield _answer(position, record, VOID, "" if voided else NOT_NEEDED)
    if position.refund.is_open:
        if declined or record.state is MoneyState.VOIDED:
            yield _answer(position, record, REFUND, NOT_NEEDED)
        elif record.refunded.amount == position.refunded + position.to_reverse:
            yield _answer(position, record, REFUND)
    yield from _answered_parts(position, record)


def _answered_parts(position: Position, record: GatewayRecord) -> Iterator[Entry]:
    """All that is open of parts went back, if that is what the sums say."""
    open_parts = [one for one in position.parts if one.progress.is_open]
    unexplained = record.refunded.amount - position.refunded
    if open_parts and unexplained == sum(one.amount for one in open_parts):
        for one in open_parts:
            yield Entry(
                *(position, REFUND, EntryState.SUCCEEDED, FOUND, "", record.gateway_reference),
                amount=one.amount,
                refund_id=one.refund_id,
            )


def _answer(
    position: Position, record: GatewayRecord, operation: EntryOperation, failed: str = ""
) -> Entry:
    return Entry(
        position,
        operation,
        EntryState.FAILED if failed else EntryState.SUCCEEDED,
        failed or FOUND,
        "by the gateway's record",
        record.gateway_reference,
        position.to_reverse if operation is REFUND else position.amount,
    )


def _kind(check: str, position: Position, record: GatewayRecord | None) -> DiscrepancyKind:
    if check == "amounts_differ" and record.captured.amount > position.captured:
        return DiscrepancyKind.UNKNOWN_CAPTURE
    if check == "amounts_differ" and record.refunded.amount > position.refunded:
        return DiscrepancyKind.UNKNOWN_REFUND
    return DiscrepancyKind(check)


def _detail(position: Position, record: GatewayRecord | None, standing: Standing) -> str:
    ours = (
        f"{_words(position.state)} by our ledger, {position.captured} captured, {position.refunded}"
        f" refunded{', a movement open' if position.is_open else ''}; the order {STANDS[standing]}"
    )
    return f"{_at_gateway(record)}; {ours}"


def _at_gateway(record: GatewayRecord | None) -> str:
    if record is None:
        return "Unknown at the gateway"
    twice = f", in {record.captures} captures" if record.captures > 1 else ""
    state = _words(record.state).capitalize()
    return (
        f"{state} at the gateway: {_text(record.authorized)} authorized,"
        f" {_text(record.captured)} captured{twice}, {_text(record.refunded)} refunded"
    )


def _words(state: MoneyState) -> str:
    return state.replace("_", " ")


def _text(money) -> str:
    return f"{money.amount} {money.currency.code}"


# What the ledger keeps of a capture that it did not know, when it is given back.
def unknown_capture(position: Position, record: GatewayRecord) -> Iterator[Entry]:
    """The entry for a capture that the ledger lacks, or believed failed."""
    if record.state not in KEPT or position.captured:
        return
    yield Entry(
        *(position, CAPTURE, EntryState.SUCCEEDED, FOUND, "by the gateway's record"),
        record.gateway_reference,
        record.captured.amount,
        found=position.capture is Progress.FAILED,
    )
