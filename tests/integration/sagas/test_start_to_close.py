"""A participant that runs past its start-to-close is stopped, and only its run pays for it."""

import threading
from collections import Counter
from concurrent.futures import Future

import pytest
from django.db import transaction

from apps.common.databases import fetch_one
from apps.sagas import definition, facade
from apps.sagas.contracts import Outcome
from apps.sagas.definition import Participant, Saga, Step
from apps.sagas.engine.driver import Driver, drive_batch
from apps.sagas.models import SagaLogEntry, SagaRun
from apps.sagas.retry import RetryPolicy

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])
TWICE = RetryPolicy(max_attempts=2, base=0.0, cap=0.0, schedule_to_close=60)
LIMIT = 0.2


@pytest.fixture
def timed():
    """Registers a saga of one step, to be undone, that may take ``LIMIT`` seconds."""

    def timed(participant: Participant) -> None:
        undo = Participant(lambda calls: [Outcome.success() for _ in calls], local=True)
        step = Step("step", participant, undo, retry=TWICE, start_to_close=LIMIT)
        definition.register(Saga("timed", 1, (step,)))

    yield timed
    definition._registry.pop(("timed", 1))


def start(*keys: str) -> None:
    with transaction.atomic(using="orders"):
        for key in keys:
            facade.start(kind="timed", version=1, business_key=key)


def ended() -> dict[str, tuple[str, str]]:
    rows = SagaRun.objects.values_list("business_key", "status", "error_code")
    return {key: (status, code) for key, status, code in rows}


def endless(calls):
    threading.Event().wait(60)


def asleep_in_the_database(calls):
    fetch_one("orders", "SELECT pg_sleep(25)")


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("dawdle", [endless, asleep_in_the_database])
def test_only_the_run_that_dawdles_fails(timed, local, dawdle):
    asked: Counter[str] = Counter()

    def execute(calls):
        asked.update(call.business_key for call in calls)
        if any(call.business_key == "slow" for call in calls):
            dawdle(calls)
        return [Outcome.success() for _ in calls]

    timed(Participant(execute, local=local))
    start("a", "slow", "b")
    while drive_batch():
        pass
    good = ("completed", "")
    assert ended() == {"a": good, "b": good, "slow": ("compensated", "start_to_close")}
    assert asked == {"a": 2, "b": 2, "slow": 3}  # once together, then each alone
    said = SagaLogEntry.objects.filter(run__business_key="slow").order_by("id")
    assert [(one.event, one.code) for one in said] == [
        ("set_apart", "start_to_close"),
        ("claimed_again", "no_outcome"),
        ("unknown", "start_to_close"),
        ("claimed_again", "no_outcome"),
        ("unknown", "start_to_close"),
        ("compensating", "start_to_close"),
    ]


def test_one_that_dawdled_has_no_neighbours_the_next_time(timed):
    asked: list[list[str]] = []

    def execute(calls):
        asked.append([call.business_key for call in calls])
        if any(call.business_key == "slow" for call in calls):
            endless(calls)
        return [Outcome.success() for _ in calls]

    timed(Participant(execute))
    start("slow")
    drive_batch()
    start("a", "b")
    while drive_batch():
        pass
    assert asked == [["slow"], ["slow"], ["a", "b"]]


def test_a_call_that_never_comes_back_is_given_up(timed):
    timed(Participant(submit=lambda calls: [_answer(call) for call in calls]))
    start("a", "slow", "b")
    while drive_batch():
        pass
    good = ("completed", "")
    assert ended() == {"a": good, "b": good, "slow": ("compensated", "start_to_close")}


def _answer(call) -> Outcome | Future[Outcome]:
    if call.business_key == "slow":
        return Future()
    if call.business_key == "a":
        return Outcome.success()
    landed: Future[Outcome] = Future()
    landed.set_result(Outcome.success())
    return landed


def test_a_driver_takes_on_what_is_due_while_a_call_is_under_way(timed):
    answers: dict[str, Future[Outcome]] = {}

    def submit(calls):
        for call in calls:
            answers[call.business_key] = Future()
            if call.business_key == "quick":
                answers["quick"].set_result(Outcome.success())
                answers["slow"].set_result(Outcome.success())
        if calls[0].business_key == "slow":
            start("quick")
        return [answers[call.business_key] for call in calls]

    timed(Participant(submit=submit))
    start("slow")
    assert Driver().drive(seconds=20) == 2
    assert ended() == {"slow": ("completed", ""), "quick": ("completed", "")}
