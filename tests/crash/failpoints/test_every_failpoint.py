"""A process dies at every failpoint there is; another one begins anew and ends with the same books.

Each death is SIGKILL in a real process with orders of every kind on their way. All of them share
one shop, so that the audit at the end looks at what all of them left.
"""

import signal
from collections import Counter

import pytest

from apps.caching.write_behind import leases
from apps.common.failpoint_names import NAMES
from tests.crash.failpoints.day import REVIEW_ABOVE, Day
from tests.crash.failpoints.forks import forked
from tests.trade import violations

# Each step of a saga passes these again.
AGAIN = [
    *("saga.begin.after_commit:3", "saga.checkpoint.before_commit:2"),
    *("saga.checkpoint.before_commit:5", "saga.checkpoint.after_commit:3"),
    *("saga.checkpoint.after_commit:4", "saga.checkpoint.after_commit:6"),
    # Each event of a choreographed checkout passes these.
    *("consume.apply.before_commit:3", "consume.apply.before_commit:6"),
    *("consume.apply.after_commit:2", "consume.apply.after_commit:5"),
]
CASES = [f"{name}:1" for name in NAMES] + AGAIN
pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def impatient(settings, own_streams, monkeypatch):
    settings.EVENT_RELAY_LEASE_SECONDS = 0.2
    settings.SAGA_LEASE_SECONDS = 0.2
    settings.EMAIL_LEASE_SECONDS = 0.2
    settings.REVIEW_ABOVE = REVIEW_ABOVE
    settings.RECONCILE_AFTER_SECONDS = 0
    monkeypatch.setattr(leases, "LEASE_MS", 200)


def die_and_go_on(case: str) -> str | None:
    """What is wrong after a process died at ``case`` and another one finished its day."""
    day = Day(case.replace(".", "-").replace(":", "-"))
    code = forked(day.live, failpoint=f"{case}:kill")
    if code != -signal.SIGKILL:
        return f"its process was not killed there (code {code})"
    if code := forked(day.live):
        return f"the next process ended with code {code}"
    day.place()  # the same keys: it learns which orders these are
    books, right = day.books(), day.right_books()
    return None if books == right else f"{books} instead of {right}"


def test_a_process_killed_at_any_failpoint_leaves_nothing_undone(impatient, gateway):
    wrong = {case: why for case in CASES if (why := die_and_go_on(case))}
    assert wrong == {}
    assert violations() == {}
    by_state = Counter(one["status"] for one in gateway.payments())
    days = len(CASES)
    assert by_state == {
        "captured": 4 * days,
        "partially_refunded": days,
        "voided": 4 * days,
        "authorized": days,
        "declined": days,
        "refunded": days,
    }
    assert {one["captures"] for one in gateway.payments()} == {0, 1}
