"""What the reconciler decides about a payment: a pure function of three accounts of it."""

from decimal import Decimal
from uuid import UUID

import pytest
from moneyed import Money

from apps.payments.contracts import GatewayRecord, MoneyState, Standing
from apps.payments.position import Part, Position, Progress
from apps.payments.reconciling.verdicts import judge, judge_stranger

N, R, U, F, S = Progress
ALL, NONE = Decimal("12.34"), Decimal("0.00")
UNDONE, MISSING, KEPT = Standing.UNDONE, Standing.MISSING, Standing.KEPT
PARKED, LIVE = Standing.PARKED, Standing.LIVE


def ours(authorization=S, capture=N, void=N, refund=N, *, part: Progress | None = None) -> Position:
    one = Position(
        *(UUID(int=1), UUID(int=2), ALL, "GBP", "tok", "card"),
        *(authorization, capture, void, refund),
    )
    one.captured = ALL if capture is S else NONE
    one.refunded = ALL if refund is S else NONE
    one.refund_amount = ALL if refund is not N else None
    if part is not None:
        one.add_part(Part(UUID(int=3), Decimal("2.34"), part))
        one.refunded += Decimal("2.34") if part is S else 0
    return one


def theirs(state: str, captured=NONE, refunded=NONE, captures: int | None = None) -> GatewayRecord:
    return GatewayRecord(
        str(UUID(int=1)),
        "pay_1",
        MoneyState(state),
        *(Money(amount, "GBP") for amount in (ALL, captured, refunded)),
        captures=int(captured > 0) if captures is None else captures,
    )


AUTHORIZED, CAPTURED, VOIDED = theirs("authorized"), theirs("captured", ALL), theirs("voided")
REFUNDED = theirs("refunded", ALL, ALL)
PARTLY = theirs("partially_refunded", ALL, Decimal("2.34"))
TWICE = theirs("captured", ALL, captures=2)


@pytest.mark.parametrize(
    ("position", "record", "standing", "verdict"),
    [
        # Nobody touches what somebody works on, and all is well where all agree.
        (ours(), CAPTURED, LIVE, None),
        (ours(), AUTHORIZED, LIVE, None),
        (ours(), AUTHORIZED, KEPT, None),
        (ours(), AUTHORIZED, PARKED, None),
        (ours(S, S), CAPTURED, KEPT, None),
        (ours(S, S, part=S), PARTLY, KEPT, None),
        (ours(S, S, N, S), REFUNDED, UNDONE, None),
        (ours(F), None, UNDONE, None),
        # Undone orders hold and keep nothing.
        (ours(), AUTHORIZED, UNDONE, "orphan_authorization void"),
        (ours(), AUTHORIZED, MISSING, "orphan_authorization void"),
        (ours(S, N, U), AUTHORIZED, UNDONE, "orphan_authorization void"),
        (ours(S, N, F), AUTHORIZED, UNDONE, "orphan_authorization"),
        (ours(S, S), CAPTURED, UNDONE, "dead_capture refund"),
        (ours(S, N), CAPTURED, UNDONE, "dead_capture refund"),
        (ours(S, F), CAPTURED, UNDONE, "dead_capture refund"),
        (ours(S, S, N, U), CAPTURED, UNDONE, "dead_capture refund"),
        (ours(S, S, part=S), PARTLY, UNDONE, "dead_capture refund"),
        (ours(S, S), CAPTURED, MISSING, "dead_capture"),
        (ours(S, S, N, F), CAPTURED, UNDONE, "dead_capture"),
        (ours(S, S, part=R), CAPTURED, UNDONE, "dead_capture"),
        (ours(S, S), PARTLY, UNDONE, "dead_capture"),
        (ours(S, S, part=S), CAPTURED, UNDONE, "dead_capture"),
        (ours(S, S), TWICE, UNDONE, "captured_twice"),
        # What the gateway knows and we do not.
        (ours(U), AUTHORIZED, PARKED, "unrecorded_answer answer"),
        (ours(S, U), CAPTURED, PARKED, "unrecorded_answer answer"),
        (ours(S, U), VOIDED, PARKED, "unrecorded_answer answer"),
        (ours(S, U), AUTHORIZED, PARKED, "unsettled"),
        (ours(S, S, N, R), REFUNDED, UNDONE, "unrecorded_answer answer"),
        (ours(S, S, part=U), PARTLY, KEPT, "unrecorded_answer answer"),
        (ours(S, S, part=U), CAPTURED, KEPT, "unsettled"),
        # For a person.
        (ours(U), None, PARKED, "unsettled"),
        (ours(), None, KEPT, "unknown_to_gateway"),
        (ours(), CAPTURED, KEPT, "unknown_capture"),
        (ours(S, S), PARTLY, KEPT, "unknown_refund"),
        (ours(S, S), TWICE, KEPT, "captured_twice"),
        (ours(), VOIDED, KEPT, "states_differ"),
        (ours(S, S), AUTHORIZED, KEPT, "amounts_differ"),
    ],
)
def test_verdicts(position, record, standing, verdict):
    found = judge(position, record, standing)
    assert (f"{found.kind} {found.action}".strip() if found else None) == verdict


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (AUTHORIZED, "unknown_authorization"),
        (CAPTURED, "unknown_capture"),
        (PARTLY, "unknown_capture"),
        (VOIDED, None),
        (REFUNDED, None),
        (theirs("declined"), None),
    ],
)
def test_strangers_are_reported_and_never_touched(record, kind):
    found = judge_stranger(record)
    assert (f"{found.kind} {found.action}".strip() if found else None) == kind


def test_a_payment_on_account_is_none_of_the_gateways_business():
    position = ours(S, S)
    position.method = "account"
    assert judge(position, None, KEPT) is None
    assert judge(position, None, UNDONE) is None
    found = judge(position, AUTHORIZED, UNDONE)
    assert (found.kind, found.action) == ("on_account_at_gateway", "")
