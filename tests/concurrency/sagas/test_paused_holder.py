"""A holder that sleeps past its lease wakes up to find that its runs are not its own any more."""

import os
import re
import signal
import threading

import pytest

from apps.payments.models import PaymentEntry
from apps.sagas.contracts import Outcome
from apps.sagas.engine import leases, store
from apps.sagas.engine.driver import drive_batch
from apps.sagas.models import SagaLogEntry, SagaRun, SagaStep
from tests.concurrency.sagas.engines import counted, drain, start, threads
from tests.processes import eventually
from tests.trade import Trade, axes, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
# What a worker logs at the end of a task that drove one run.
ENDED = re.compile(r"sagas\.tasks\.drive\[.*\] succeeded in .*: 1\b")


def books() -> tuple[list, list, list]:
    """All that the engine wrote."""
    return (
        list(SagaRun.objects.order_by("id").values()),
        list(SagaStep.objects.order_by("id").values()),
        list(SagaLogEntry.objects.order_by("id").values()),
    )


def test_a_worker_stopped_past_its_lease_writes_nothing_when_it_goes_on(shop, gateway):
    trade = Trade()
    worker = shop.worker(SAGA_LEASE_SECONDS="1", GATEWAY_READ_TIMEOUT="5")
    eventually(lambda: " ready." in worker.output())
    gateway.freeze()
    placed = trade.place(MUG=2)
    eventually(lambda: PaymentEntry.objects.filter(state="requested").exists())
    os.killpg(worker.popen.pid, signal.SIGSTOP)
    gateway.thaw()
    try:
        eventually(lambda: drive_batch() == 1)  # once the lease is over
        drive_all()
        assert axes(placed.order_id) == ("confirmed", "captured", "scheduled")
        before = books()
        assert ENDED.search(worker.output()) is None  # it is still at the first step
    finally:
        os.killpg(worker.popen.pid, signal.SIGCONT)
    eventually(lambda: ENDED.search(worker.output()))
    assert books() == before
    assert trade.levels()["MUG"] == (100, 2)
    [payment] = gateway.payments()
    assert (payment["captures"], payment["captured"]["amount"]) == (1, "19.00")
    assert violations() == {}


@pytest.fixture
def late_answer():
    """Runs one run with an engine that sleeps in its first step until another one has completed
    it, and then hears ``unknown``; returns the books before and after it woke up."""
    asleep, awake = threading.Event(), threading.Event()
    asked = threading.Lock()

    def answer(name):
        if name == "first" and asked.acquire(blocking=False):
            asleep.set()
            assert awake.wait(20)
            return Outcome.unknown("timeout")
        return Outcome.success()

    def late_answer():
        with counted() as saga, threads(1) as submit:
            saga.answer = answer
            start(1)
            late = submit(drive_batch)
            assert asleep.wait(20)
            SagaRun.objects.update(next_run_at="2020-01-01T00:00:00Z")  # its lease is over
            drain()
            before = books()
            awake.set()
            late.result(20)
        return before, books()

    return late_answer


def test_a_thread_that_answers_past_its_lease_writes_nothing(late_answer):
    before, after = late_answer()
    assert [run["status"] for run in before[0]] == ["completed"]
    assert after == before


def test_without_its_token_a_late_answer_undoes_what_the_other_did(late_answer, monkeypatch):
    """The control."""
    write = store.execute

    def hold(runs, lease, *, wait=True):
        return [run.copy() for run in runs], leases.now()

    def unguarded(alias, sql, params=()):
        return write(alias, sql.replace("AND run.lease_token = held.token", ""), params)

    monkeypatch.setattr(leases, "hold", hold)
    monkeypatch.setattr(store, "execute", unguarded)
    before, after = late_answer()
    assert [run["status"] for run in before[0]] == ["completed"]
    assert [(run["status"], run["step"]) for run in after[0]] == [("in_progress", "first")]
