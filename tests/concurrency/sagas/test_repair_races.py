"""A person and a worker at the same run: one of them goes first, and the other sees what it did."""

import threading
from collections import Counter

import pytest

from apps.common.errors import VersionConflict
from apps.sagas import facade
from apps.sagas.contracts import Outcome
from apps.sagas.engine import repair
from apps.sagas.engine.driver import drive_batch
from apps.sagas.errors import RunHeld
from apps.sagas.models import SagaLogEntry, SagaRun, SagaStep
from tests.concurrency.sagas.engines import counted, drain, start, threads

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])


@pytest.fixture
def saga():
    with counted() as one:
        yield one


@pytest.fixture
def between(monkeypatch):
    """Stops a person once the run is looked at, before anything is written: the test goes on when
    ``looked`` is set, the person when ``go`` is. ``without`` lets them look without the lock."""
    looked, go = threading.Event(), threading.Event()
    save, cases = repair._save, repair._cases

    def stopped(*change):
        looked.set()
        assert go.wait(20)
        save(*change)

    def between(*, without_lock: bool = False):
        monkeypatch.setattr(repair, "_save", stopped)
        if without_lock:
            monkeypatch.setattr(repair, "_cases", lambda ids, lock: cases(ids, lock=False))
        return looked, go

    return between


def books() -> tuple[list, list]:
    return list(SagaRun.objects.values()), list(SagaStep.objects.order_by("id").values())


def park(run: SagaRun):
    return facade.park_run(run.pk, run.version, "to look at it")


def test_while_a_person_parks_a_run_no_worker_takes_it(saga, between):
    start(1)
    run = SagaRun.objects.get()
    looked, go = between()
    with threads(1) as submit:
        person = submit(lambda: park(run))
        assert looked.wait(20)
        assert drive_batch() == 0  # it is due, but locked
        go.set()
        assert person.result(20).status == "failed"
    assert drain() == 0
    assert saga.effects == {}


def test_without_the_lock_a_finished_run_is_parked(saga, between):
    """The control: the worker completes the run while the person looks at it."""
    start(1)
    run = SagaRun.objects.get()
    looked, go = between(without_lock=True)
    with threads(1) as submit:
        person = submit(lambda: park(run))
        assert looked.wait(20)
        assert drain() == 1
        assert SagaRun.objects.get().status == "completed"
        go.set()
        person.result(20)
    assert SagaRun.objects.get().status == "failed"  # parked, with all its steps done


def test_a_worker_that_has_the_run_keeps_it(saga):
    start(1)
    run = SagaRun.objects.get()
    asleep, awake = threading.Event(), threading.Event()

    def answer(name):
        if name == "first":
            asleep.set()
            assert awake.wait(20)
        return Outcome.success()

    saga.answer = answer
    with threads(1) as submit:
        worker = submit(drive_batch)
        assert asleep.wait(20)
        before = books()
        for action in (facade.retry_run, facade.park_run):
            with pytest.raises(RunHeld):
                action(run.pk, run.version, "too early")
        assert books() == before
        awake.set()
        worker.result(20)
    assert SagaRun.objects.get().status == "completed"
    assert SagaLogEntry.objects.count() == 0


def test_a_worker_that_comes_back_late_finds_the_run_taken(saga):
    """Its lease ran out, and a person parked the run meanwhile."""
    start(1)
    asleep, awake = threading.Event(), threading.Event()

    def answer(name):
        asleep.set()
        assert awake.wait(20)
        return Outcome.success()

    saga.answer = answer
    with threads(1) as submit:
        worker = submit(drive_batch)
        assert asleep.wait(20)
        SagaRun.objects.update(lease_until="2020-01-01T00:00:00Z")
        park(SagaRun.objects.get())
        before = books()
        awake.set()
        worker.result(20)
    assert books() == before
    assert before[0][0]["status"] == "failed"
    saga.answer = lambda name: Outcome.success()
    run = SagaRun.objects.get()
    facade.retry_run(run.pk, run.version, "on with it")
    drain()
    assert SagaRun.objects.get().status == "completed"


def test_of_many_people_at_one_run_one_is_heard(saga):
    start(1)
    run = SagaRun.objects.get()
    together = threading.Barrier(4, timeout=20)

    def person() -> str:
        together.wait()
        try:
            return park(run).status
        except VersionConflict as error:
            return error.code

    with threads(4) as submit:
        said = Counter(one.result(20) for one in [submit(person) for _ in range(4)])
    assert said == {"failed": 1, "version_conflict": 3}
    assert list(SagaLogEntry.objects.order_by("id").values_list("event", flat=True)) == [
        *("staff_park", "parked")
    ]
