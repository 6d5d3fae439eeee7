"""Any course of events: holders that die, sleep and come back, clocks that run, people who stop.

``pytest tests/concurrency/sagas/test_state_machine.py`` repeats the same courses each time;
``--hypothesis-profile=long`` looks for new ones, ``--hypothesis-seed=N`` repeats those.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import settings
from structlog.testing import capture_logs

from apps.sagas.engine import driver, stepping
from apps.sagas.engine.driver import drive_batch
from tests.concurrency.sagas.machine import world
from tests.concurrency.sagas.machine.courses import QUICK, Machine, follow_courses
from tests.concurrency.sagas.machine.holders import Stop, point

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders", "catalog"])


@pytest.fixture
def ready(monkeypatch, settings, transactional_db):
    settings.SAGA_LEASE_SECONDS = 3_600.0  # only ``leases_end`` ends them, however slow we are
    for room in (driver, stepping):
        monkeypatch.setattr(room, "failpoint", point)
    world.make_tables()
    with capture_logs():
        yield
    world.drop_tables()


def test_whatever_happens_every_run_ends_right(ready, request):
    long = request.config.getoption("--hypothesis-profile")
    follow_courses(settings.default if long else QUICK)
    # It has been everywhere: late holders came back, people acted, runs ended in all three ways.
    assert set(Machine.seen) == {"in time", "late", "people", "completed", "compensated", "failed"}


@contextmanager
def course() -> Iterator[Machine]:
    """A course of events told beforehand: of one run, which comes to rest at the end."""
    machine = Machine()
    try:
        machine.starts([{}])
        yield machine
    except BaseException:
        machine.broken = True
        raise
    finally:
        machine.teardown()


def status(machine: Machine) -> str:
    [one] = machine.look().values()
    return one.row["status"]


def test_a_forward_step_that_comes_after_its_compensation_does_nothing(ready):
    with course() as one:
        one.claims(Stop("inbox.before", 1, "pause"))  # about to take
        one.deadline_passes(0)
        one.leases_end()
        drive_batch()
        assert status(one) == "compensated"
        one.resumes(0, None)
        assert status(one) == "compensated"


def test_a_step_whose_holder_died_is_undone_when_its_run_is_stopped(ready):
    with course() as one:
        one.claims(Stop("inbox.after", 1, "die"))  # it has taken, nobody knows
        one.abort(0)
        one.leases_end()
        drive_batch()
        assert status(one) == "compensated"


def test_a_pivot_whose_holder_died_is_not_reversed_by_the_clock_or_a_person(ready):
    with course() as one:
        one.claims(Stop("bank.after", 2, "die"))  # it has charged, nobody knows
        one.abort(0)
        one.deadline_passes(0)
        one.leases_end()
        drive_batch()
        assert status(one) == "completed"


def test_a_holder_that_took_too_long_writes_nothing(ready):
    with course() as one:
        one.claims(Stop("saga.execute.after", 1, "pause"))
        one.leases_end()
        drive_batch()
        assert status(one) == "completed"
        one.resumes(0, None)


def test_a_step_whose_answer_was_lost_with_its_holder_has_its_effect_once(ready):
    with course() as one:
        one.claims(Stop("inbox.after", 1, "die"))
        one.leases_end()
        drive_batch()
        assert status(one) == "completed"


def test_a_holder_that_took_too_long_to_begin_writes_nothing(ready):
    with course() as one:
        one.claims(Stop("saga.claim.after_commit", 1, "die"))
        one.leases_end()
        one.claims(Stop("saga.claim.after_commit", 1, "pause"))
        one.leases_end()
        drive_batch()
        assert status(one) == "completed"
        one.resumes(0, None)
