"""Wherever a time limit cuts a participant off, also where a transaction begins or ends, what is
written afterwards commits."""

import signal
import sys

import psycopg
import pytest
from django.db import connections, transaction

from apps.common.databases import execute, fetch_one
from apps.common.timeouts import TimedOut, in_time
from project.celery import drop_broken_connections

pytestmark = pytest.mark.django_db(transaction=True, databases=["catalog"])
ALIAS = "catalog"
LONG = 60.0
# Where Django keeps account of transactions; other code holds nothing that outlives an error.
BOOKKEEPING = ("django/db/transaction.py", "django/db/backends/base/base.py")


class Alarm:
    """Raises the signal of the time limit at the ``nth`` point of Django's bookkeeping at which
    Python looks for signals: a function begins, or a call into C returns."""

    def __init__(self, nth: int):
        self.nth, self.passed = nth, 0

    def __call__(self, frame, event, arg) -> None:
        if event in ("call", "c_return") and frame.f_code.co_filename.endswith(BOOKKEEPING):
            self.passed += 1
            if self.passed == self.nth:
                sys.setprofile(None)
                signal.raise_signal(signal.SIGALRM)


def write(key: str) -> None:
    with transaction.atomic(using=ALIAS):
        with transaction.atomic(using=ALIAS):
            fetch_one(ALIAS, "SELECT 1")
        execute(
            ALIAS,
            "INSERT INTO messaging_inbox (consumer, message_id, request_hash, outcome)"
            " VALUES ('interrupted', %s, '', '{}')",
            [key],
        )


def write_until(alarm: Alarm, key: str) -> None:
    sys.setprofile(alarm)
    try:
        write(key)
    finally:
        sys.setprofile(None)


@pytest.fixture
def committed():
    """The keys that another session sees."""
    params = connections[ALIAS].get_connection_params()
    where = {name: params[name] for name in ("host", "port", "user", "dbname") if name in params}
    with psycopg.connect(**where, autocommit=True) as session:

        def committed() -> set[str]:
            rows = session.execute(
                "SELECT message_id FROM messaging_inbox WHERE consumer = 'interrupted'"
            )
            return {key for (key,) in rows}

        yield committed


def test_what_is_written_after_an_interruption_commits(committed):
    write("warm")
    nth, alarm = 0, Alarm(0)
    while nth <= alarm.passed:
        nth, alarm = nth + 1, Alarm(nth + 1)
        try:
            in_time(LONG, lambda alarm=alarm, nth=nth: write_until(alarm, f"cut {nth}"))
        except TimedOut:
            pass
        else:
            assert alarm.passed < nth  # the last one met no alarm
        write(f"after {nth}")
        assert f"after {nth}" in committed(), f"lost after an alarm at point {nth}"
    assert nth > 50


def test_an_interruption_inside_a_transaction_leaves_nothing_of_it(committed):
    def cut_off() -> None:
        signal.raise_signal(signal.SIGALRM)

    with pytest.raises(TimedOut), transaction.atomic(using=ALIAS):
        write("before")
        in_time(LONG, cut_off)
    write("after")
    assert committed() == {"after"}


def test_an_interruption_that_is_swallowed_still_counts():
    def swallow() -> str:
        try:
            signal.raise_signal(signal.SIGALRM)
        except KeyboardInterrupt:
            pass
        return "answer"

    with pytest.raises(TimedOut):
        in_time(LONG, swallow)


def test_what_an_interruption_is_turned_into_is_the_time_out_too():
    def turn() -> None:
        try:
            signal.raise_signal(signal.SIGALRM)
        finally:
            raise ValueError("while cleaning up")

    with pytest.raises(TimedOut):
        in_time(LONG, turn)


def test_in_time_other_errors_are_their_own():
    with pytest.raises(ValueError, match="its own"):
        in_time(LONG, lambda: int("its own"))


def test_a_task_does_not_inherit_a_transaction_that_was_cut_off(committed):
    transaction.atomic(using=ALIAS).__enter__()  # as when a signal comes before the block begins
    drop_broken_connections()
    write("next task")
    assert committed() == {"next task"}
