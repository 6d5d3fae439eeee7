"""A definition changes while runs of it are under way."""

import pytest
from django.db import transaction
from structlog.testing import capture_logs

from apps.sagas import definition
from apps.sagas.contracts import Outcome
from apps.sagas.definition import Saga, Step
from apps.sagas.engine.driver import drive_batch
from apps.sagas.facade import start as start_run
from apps.sagas.models import SagaRun, SagaStep
from tests.integration.sagas.conftest import QUICK

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])


@pytest.fixture
def deploy(recorder, saga):
    """Puts a definition in the place of ``recorded``'s: its version and steps in order."""

    def deploy(version: int, *names: str, undoable: bool = True) -> None:
        steps = [
            Step(
                name,
                recorder.participant(name),
                recorder.participant(f"undo_{name}") if undoable and name != "third" else None,
                retry=QUICK,
                compensation_retry=QUICK,
            )
            for name in names
        ]
        definition.register(Saga("recorded", version, tuple(steps)))

    yield deploy
    definition._registry.pop(("recorded", 2), None)


@pytest.fixture
def under_way(start, recorder):
    """A run that has done its first step and waits at its second."""
    [run] = start("old")
    recorder.tell("second", "old", Outcome.waiting("held"))
    drive_batch()
    return run


def wake_all() -> None:
    SagaRun.objects.filter(finished_at=None).update(next_run_at="2020-01-01T00:00:00Z")


def parked(run: SagaRun, drive) -> tuple[str, str]:
    """The run's end, if it was told of loudly."""
    wake_all()
    with capture_logs() as logs:
        drive()
    run.refresh_from_db()
    assert [one["run"] for one in logs if one["event"] == "saga.parked"] == [str(run.pk)]
    return run.status, run.error_code


def test_a_run_under_way_keeps_its_version_and_a_new_one_takes_the_next(
    under_way, deploy, drive, recorder
):
    deploy(2, "zero", "second", "first")
    with transaction.atomic(using="orders"):
        new = start_run(kind="recorded", version=2, business_key="new")
    wake_all()
    drive()
    names = {
        run: list(
            SagaStep.objects.filter(run=run).order_by("position").values_list("name", "status")
        )
        for run in (under_way.pk, new)
    }
    assert names[under_way.pk] == [(name, "completed") for name in ("first", "second", "third")]
    assert names[new] == [(name, "completed") for name in ("zero", "second", "first")]
    assert recorder.effects["first old"] == recorder.effects["first new"] == 1


@pytest.mark.parametrize(
    "names",
    [("first", "renamed", "third"), ("first", "third", "second"), ("first",)],
    ids=["renamed", "reordered", "gone"],
)
def test_a_run_whose_next_step_is_not_there_is_parked(under_way, deploy, drive, recorder, names):
    deploy(1, *names)
    before = recorder.effects.copy()
    assert parked(under_way, drive) == ("failed", "definition_changed")
    assert recorder.effects == before


def test_a_run_of_a_version_that_was_taken_back_is_parked(deploy, drive, recorder):
    deploy(2, "first")
    with transaction.atomic(using="orders"):
        run_id = start_run(kind="recorded", version=2, business_key="new")
    definition._registry.pop(("recorded", 2))
    assert parked(SagaRun.objects.get(pk=run_id), drive) == ("failed", "definition_changed")
    assert recorder.effects == {}


def test_a_run_on_its_way_back_whose_compensation_is_gone_is_parked(
    under_way, deploy, drive, recorder
):
    recorder.tell("second", "old", Outcome.rejected("no"))
    recorder.tell("undo_first", "old", Outcome.retryable("busy"))
    wake_all()
    drive_batch()
    deploy(1, "first", "second", "third", undoable=False)
    assert parked(under_way, drive) == ("failed", "definition_changed")


@pytest.mark.parametrize(
    "names",
    [("renamed", "second", "third"), ("third", "second", "first")],
    ids=["renamed", "reordered"],
)
def test_a_run_never_undoes_another_step_than_it_did(under_way, deploy, drive, recorder, names):
    recorder.tell("second", "old", Outcome.rejected("no"))
    deploy(1, *names)
    assert parked(under_way, drive) == ("failed", "definition_changed")
    assert [name for name in recorder.effects if name.startswith("undo")] == []
