"""Where the money is, derived from how far each operation got."""

import itertools
from decimal import Decimal
from uuid import UUID

import pytest

from apps.payments.contracts import MoneyState
from apps.payments.enums import EntryOperation
from apps.payments.position import Part, Position, Progress

N, R, U, F, S = Progress


def position(*progress: Progress, code: str = "") -> Position:
    return Position(
        UUID(int=1),
        UUID(int=2),
        Decimal(1),
        "GBP",
        "tok",
        "card",
        *progress,
        authorization_code=code,
    )


@pytest.mark.parametrize(
    ("progress", "code", "state"),
    [
        ((N, N, N, N), "", "not_paid"),
        ((R, N, N, N), "", "not_paid"),
        ((U, N, N, N), "", "not_paid"),
        ((F, N, N, N), "card_declined", "declined"),
        ((F, N, N, N), "cancelled", "not_paid"),
        ((S, N, N, N), "", "authorized"),
        ((S, U, N, N), "", "authorized"),
        ((S, F, N, N), "", "authorized"),
        ((S, S, N, N), "", "captured"),
        ((S, S, N, U), "", "captured"),
        ((S, N, U, N), "", "authorized"),
        ((S, N, S, N), "", "voided"),
        ((S, F, S, F), "", "voided"),
        ((S, S, F, S), "", "refunded"),
    ],
)
def test_state(progress, code, state):
    assert position(*progress, code=code).state is MoneyState(state)


def test_open_is_what_waits_for_an_answer():
    for progress in itertools.product(Progress, repeat=4):
        assert position(*progress).is_open == bool({R, U} & set(progress))


def test_a_key_belongs_to_the_movement():
    keys = [position(N, N, N, N).key(one) for one in EntryOperation]
    begin = "00000000-0000-0000-0000-000000000001:"
    assert keys == [begin + one for one in ("authorize", "capture", "refund", "void")]


def captured(refunds: dict[str, Progress]) -> Position:
    """12.34 captured, and parts of it asked back."""
    one = position(S, S, N, N)
    one.captured = Decimal("12.34")
    for number, (amount, progress) in enumerate(refunds.items()):
        one.add_part(Part(UUID(int=number), Decimal(amount), progress))
        one.refunded += Decimal(amount) if progress is S else 0
    return one


@pytest.mark.parametrize(
    ("refunds", "state", "refundable", "is_open"),
    [
        ({}, "captured", "12.34", False),
        ({"2.34": R}, "captured", "10.00", True),
        ({"2.34": U, "10.00": F}, "captured", "10.00", True),
        ({"2.34": S, "10.00": F}, "partially_refunded", "10.00", False),
        ({"2.34": S, "10.00": U}, "partially_refunded", "0.00", True),
        ({"2.34": S, "10.00": S}, "refunded", "0.00", False),
    ],
)
def test_parts_given_back(refunds, state, refundable, is_open):
    one = captured(refunds)
    assert (one.state, one.refundable, one.is_open) == (state, Decimal(refundable), is_open)


def test_each_refund_has_a_key_of_its_own():
    one = captured({})
    keys = {one.refund_key(UUID(int=n)) for n in range(3)} | {one.key(EntryOperation.REFUND)}
    assert len(keys) == 4
