"""Who gets into a batch, and who goes on while others are slow."""

from collections import Counter
from concurrent.futures import Future

import pytest
from django.db import transaction

from apps.sagas import definition, facade
from apps.sagas.contracts import Outcome
from apps.sagas.definition import Participant, Saga, Step
from apps.sagas.engine import leases
from apps.sagas.engine.driver import Driver, drive_batch
from apps.sagas.models import SagaLogEntry, SagaRun
from tests.integration.sagas.conftest import QUICK

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])
FLOOD, BATCH = 60, 16


@pytest.fixture
def kinds(recorder):
    """Two kinds of one step each."""
    kinds = ("flood", "quiet")
    for kind in kinds:
        step = Step(kind, recorder.participant(kind), recorder.participant(f"undo_{kind}"))
        definition.register(Saga(kind, 1, (step,)))
    yield
    for kind in kinds:
        definition._registry.pop((kind, 1))


def begin(kind: str, number: int, first: int = 0, **values) -> None:
    with transaction.atomic(using="orders"):
        for n in range(first, first + number):
            facade.start(kind=kind, version=1, business_key=f"{kind} {n}", **values)


def ended() -> Counter:
    return Counter(SagaRun.objects.exclude(finished_at=None).values_list("kind", "status"))


def test_a_flood_of_one_kind_leaves_room_for_another_kind_and_for_compensations(kinds, settings):
    settings.SAGA_BATCH_RUNS = BATCH
    begin("flood", FLOOD)
    begin("flood", 1, first=FLOOD)
    SagaRun.objects.filter(business_key=f"flood {FLOOD}").update(
        direction="B", status="compensating", error_code="no"
    )
    begin("quiet", 3)
    assert drive_batch() == BATCH
    assert ended() == {
        ("flood", "completed"): BATCH - 2,
        ("flood", "compensated"): 1,
        ("quiet", "completed"): 1,
    }
    while drive_batch():
        pass
    assert ended() == {
        ("flood", "completed"): FLOOD,
        ("flood", "compensated"): 1,
        ("quiet", "completed"): 3,
    }


def test_a_share_that_nobody_wants_is_used_by_others(kinds, settings):
    settings.SAGA_BATCH_RUNS = BATCH
    begin("flood", FLOOD)
    assert drive_batch() == BATCH


def test_a_flood_is_taken_oldest_first(kinds):
    begin("flood", 4)
    oldest = SagaRun.objects.get(business_key="flood 2")
    SagaRun.objects.filter(pk=oldest.pk).update(next_run_at="2020-01-01T00:00:00Z")
    assert [run.id for run in leases.claim(limit=1, weight=99, lease=30)] == [oldest.pk]


def test_shares_do_not_lift_the_cap_of_lines(kinds):
    begin("flood", 5, weight=50)
    begin("quiet", 5, weight=50)
    claimed = leases.claim(limit=BATCH, weight=100, lease=30)
    assert Counter(run.kind for run in claimed) == {"flood": 1, "quiet": 1}


@pytest.fixture
def outside():
    """Registers a saga of a call outside, made by ``submit``, and a local step ``finish``."""

    def outside(submit, finish) -> None:
        ask = Step("ask", Participant(submit=submit), retry=QUICK)
        steps = (ask, Step("finish", Participant(finish, local=True)))
        definition.register(Saga("outside", 1, steps))

    yield outside
    definition._registry.pop(("outside", 1))


def begin_outside(*keys: str) -> None:
    for key in keys:
        facade.start(kind="outside", version=1, business_key=key)


def test_slow_calls_hold_back_neither_their_batch_nor_what_falls_due_meanwhile(outside):
    slow = {"slow 1": Future(), "slow 2": Future()}
    done: list[list[str]] = []

    def submit(batch):
        return [slow.get(call.business_key, Outcome.success()) for call in batch]

    def finish(batch):
        done.append(sorted(call.business_key for call in batch))
        if len(done) == 1:
            begin_outside("later 1", "later 2")
        if len(done) == 2:  # they answer only once the others are through
            for call in slow.values():
                call.set_result(Outcome.success())
        return [Outcome.success() for _ in batch]

    outside(submit, finish)
    with transaction.atomic(using="orders"):
        begin_outside("slow 1", "quick 1", "quick 2", "slow 2")
    assert Driver().drive(seconds=20) == 6
    assert done == [["quick 1", "quick 2"], ["later 1", "later 2"], ["slow 1", "slow 2"]]
    assert set(SagaRun.objects.values_list("status", "attempt")) == {("completed", 1)}


def test_an_answer_that_comes_after_its_run_was_claimed_again_counts_for_nothing(outside):
    late, asked = Future(), Counter()

    def submit(batch):
        asked.update(call.business_key for call in batch)
        return [
            late if call.business_key == "slow" and asked["slow"] == 1 else Outcome.success()
            for call in batch
        ]

    def finish(batch):
        if batch[0].business_key == "quick":  # now the lease of the slow one ends
            SagaRun.objects.filter(business_key="slow").update(next_run_at="2020-01-01T00:00:00Z")
        else:
            late.set_result(Outcome.rejected("no"))
        return [Outcome.success() for _ in batch]

    outside(submit, finish)
    with transaction.atomic(using="orders"):
        begin_outside("slow", "quick")
    Driver().drive(seconds=20)
    assert asked == {"slow": 2, "quick": 1}
    assert set(SagaRun.objects.values_list("status", "error_code")) == {("completed", "")}
    assert list(SagaLogEntry.objects.values_list("event", flat=True)) == ["claimed_again"]
