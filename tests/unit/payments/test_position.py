"""Where the money is, derived from how far each operation got."""

import itertools
from decimal import Decimal
from uuid import UUID

import pytest

from apps.payments.contracts import MoneyState
from apps.payments.enums import EntryOperation
from apps.payments.position import Position, Progress

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
