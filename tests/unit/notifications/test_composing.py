"""Who gets a mail, who waits, who does without."""

from dataclasses import replace
from datetime import timedelta

import pytest

from apps.notifications.composing import Composed, Failed, Skipped, Waiting, compose
from apps.notifications.enums import Kind
from tests.unit.notifications.samples import ADA, CANCELLED, NOW, ORDERED, PLACED, wish

CONFIRMED = wish(Kind.ORDER_CONFIRMED, PLACED)
NONE = frozenset()
LATE = {"created_at": NOW + timedelta(days=3, seconds=1)}


@pytest.mark.parametrize(
    ("one", "addressee", "ordered", "unwanted", "kind"),
    [
        (CONFIRMED, ADA, ORDERED, NONE, Composed),
        (CONFIRMED, ADA, None, NONE, Waiting),
        (replace(CONFIRMED, age=timedelta(minutes=1)), ADA, None, NONE, Composed),
        (CONFIRMED, None, ORDERED, NONE, Waiting),
        (replace(CONFIRMED, age=timedelta(days=1)), None, ORDERED, NONE, Failed),
        (CONFIRMED, replace(ADA, gone=True), ORDERED, NONE, Skipped),
        (CONFIRMED, ADA, ORDERED, frozenset({Kind.ORDER_CONFIRMED}), Skipped),
        (CONFIRMED, ADA, ORDERED, frozenset({Kind.ORDER_SHIPPED}), Composed),
        (replace(CONFIRMED, **LATE), ADA, ORDERED, NONE, Skipped),
        (replace(CONFIRMED, **LATE, is_copy=True), ADA, ORDERED, NONE, Composed),
        (
            replace(CONFIRMED, is_copy=True),
            *(ADA, ORDERED, frozenset({Kind.ORDER_CONFIRMED})),
            Composed,
        ),
        (wish(Kind.WELCOME, {}), ADA, None, NONE, Composed),
        (wish(Kind.ORDER_CANCELLED, CANCELLED), ADA, ORDERED, NONE, Composed),
    ],
)
def test_what_becomes_of_a_mail(one, addressee, ordered, unwanted, kind):
    assert type(compose(one, addressee, ordered, unwanted)) is kind
