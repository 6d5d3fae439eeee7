"""Sagas of the tests' own, whose participants write rows that can be counted."""

from collections import Counter

import pytest
from django.db import transaction

from apps.sagas import definition, facade
from apps.sagas.contracts import Outcome
from apps.sagas.definition import Execute, Participant, Saga, Step
from apps.sagas.engine.driver import drive_batch
from apps.sagas.models import SagaRun
from apps.sagas.retry import RetryPolicy

QUICK = RetryPolicy(max_attempts=3, base=0.0, cap=0.0, schedule_to_close=60)


class Recorder:
    """Participants that note what they were asked and answer what they were told."""

    def __init__(self):
        self.effects: Counter[str] = Counter()
        self.batches: list[int] = []
        self.answers: dict[tuple[str, str], list] = {}
        self.instead: dict[str, Execute] = {}  # what a participant does in place of answering

    def tell(self, step: str, business_key: str, *answers) -> None:
        """What ``step`` answers for ``business_key``, call by call; then it succeeds."""
        self.answers[step, business_key] = list(answers)

    def participant(self, name: str, *, local: bool = False) -> Participant:
        def execute(calls):
            instead = self.instead.get(name)
            return instead(calls) if instead else self.answer(name, calls)

        return Participant(execute, local=local)

    def answer(self, name: str, calls) -> list[Outcome]:
        """What ``name`` was told to answer, noted."""
        self.batches.append(len(calls))
        return [self._answer(name, call) for call in calls]

    def _answer(self, name, call):
        self.effects[f"{name} {call.business_key}"] += 1
        waiting = self.answers.get((name, call.business_key))
        answer = waiting.pop(0) if waiting else Outcome.success()
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def recorder():
    return Recorder()


@pytest.fixture
def saga(recorder):
    """Three steps in one registered saga: remote, remote, local; the first two undoable."""
    one = Saga(
        "recorded",
        1,
        (
            Step(
                "first",
                recorder.participant("first"),
                recorder.participant("undo_first"),
                retry=QUICK,
                compensation_retry=QUICK,
            ),
            Step(
                "second",
                recorder.participant("second"),
                recorder.participant("undo_second"),
                retry=QUICK,
                compensation_retry=QUICK,
            ),
            Step("third", recorder.participant("third", local=True), retry=QUICK),
        ),
    )
    definition.register(one)
    yield one
    definition._registry.pop(("recorded", 1))


@pytest.fixture
def start(saga):
    def start(*keys: str, **values) -> list[SagaRun]:
        with transaction.atomic(using="orders"):
            ids = [
                facade.start(kind="recorded", version=1, business_key=key, **values) for key in keys
            ]
        return [SagaRun.objects.get(pk=run_id) for run_id in ids]

    return start


@pytest.fixture
def drive():
    def drive(limit: int = 100) -> None:
        """Drives until nothing is due."""
        while limit and drive_batch():
            limit -= 1
        assert limit

    return drive
