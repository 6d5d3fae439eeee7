"""Two engines at the same runs: each run is one engine's, and each step is done once."""

import threading
from collections import Counter

import pytest

from apps.sagas.contracts import Outcome
from apps.sagas.engine import leases
from apps.sagas.models import SagaRun, SagaStep
from tests.concurrency.sagas.engines import counted, drain, start, threads

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])
RUNS = 200
NAP = " AND (SELECT pg_sleep(0.2))::text IS NOT NULL "
TURNS = " AND (SELECT pg_advisory_xact_lock(20))::text IS NOT NULL "  # no deadlock without locks


@pytest.fixture
def saga():
    with counted() as one:
        yield one


@pytest.fixture
def meet(monkeypatch, settings):
    """Lets two engines claim at the same moment: both look before either has committed.

    ``without`` are the guards that claims do without: lock, token.
    """
    settings.SAGA_BATCH_RUNS = 20
    barrier, together, ask = threading.Barrier(2, timeout=20), Counter(), leases.fetch_all
    first = leases.fetch_one

    def meet(*without: str) -> None:
        def claim(alias, sql, params=()):
            if "SKIP LOCKED" in sql:
                nap = NAP
                if "lock" in without:
                    sql, nap = sql.replace("FOR UPDATE SKIP LOCKED", ""), NAP + TURNS
                if not together[threading.get_ident()]:
                    together[threading.get_ident()] = 1
                    sql = sql.replace(
                        "ORDER BY next_run_at LIMIT", f"{nap} ORDER BY next_run_at LIMIT"
                    )
                    barrier.wait()
            return ask(alias, sql, params)

        def token(alias, sql, params=()):
            if "token" in without:
                sql = sql.replace("nextval('saga_lease_token')", "7::bigint")
            return first(alias, sql, params)

        monkeypatch.setattr(leases, "fetch_all", claim)
        monkeypatch.setattr(leases, "fetch_one", token)

    return meet


def drained_by_two() -> list[int]:
    """How many runs each of two engines claimed."""
    with threads(2) as submit:
        return [one.result(30) for one in [submit(drain), submit(drain)]]


def recorded_once() -> None:
    assert Counter(SagaRun.objects.values_list("status", "version")) == {("completed", 4): RUNS}
    rows = SagaStep.objects.values_list("name", "direction", "status", "attempts")
    assert Counter(rows) == {
        (name, "F", "completed", 1): RUNS for name in ("first", "second", "third")
    }


def test_two_engines_share_the_runs_and_do_each_step_once(saga, meet):
    start(RUNS)
    meet()
    claimed = drained_by_two()
    assert sum(claimed) == RUNS
    assert min(claimed) >= 20  # both had work
    recorded_once()
    assert len(saga.effects) == 3 * RUNS
    assert set(saga.effects.values()) == {1}


def test_where_both_claim_the_same_runs_the_later_token_alone_counts(saga, meet):
    start(RUNS)
    meet("lock")
    assert sum(drained_by_two()) > RUNS
    recorded_once()
    local = [number for key, number in saga.effects.items() if key.endswith(":2:F")]
    assert Counter(local) == {1: RUNS}  # what is remote may have been asked twice, with its key


def test_without_lock_and_token_both_do_the_same_work(saga, meet):
    """The control: they also meet at the first step, so that neither sees the other's progress."""
    barrier, met = threading.Barrier(2, timeout=20), set()

    def answer(name: str) -> Outcome:
        if threading.get_ident() not in met:
            met.add(threading.get_ident())
            barrier.wait()
        return Outcome.success()

    start(RUNS)
    saga.answer = answer
    meet("lock", "token")
    assert sum(drained_by_two()) > RUNS
    assert max(saga.effects.values()) == 2
