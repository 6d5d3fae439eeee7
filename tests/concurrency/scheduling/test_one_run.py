"""Many workers take up one job: one runs it, the others say so and do nothing."""

import threading
from collections import Counter
from datetime import timedelta

import pytest

from apps.scheduling.definition import Job
from apps.scheduling.enums import Trigger
from apps.scheduling.models import JobRun
from apps.scheduling.running import job_run
from tests.concurrency.catalog.threads import together

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "catalog"])
WORKERS = 6


def test_one_runs_and_the_others_say_so():
    others_done, inside = threading.Event(), []

    def function() -> dict[str, int]:
        inside.append(None)
        assert others_done.wait(30)
        return {"things": 1}

    job = Job("race", "Race", "", timedelta(hours=1), "catalog", function)
    left = threading.Semaphore(0)

    def work() -> str:
        outcome = job_run(job, trigger=Trigger.SCHEDULE).outcome
        left.release()
        return outcome

    def release() -> None:
        for _ in range(WORKERS - 1):
            assert left.acquire(timeout=30)
        others_done.set()

    answers = together(*[work] * WORKERS, release)
    assert Counter(answers[:WORKERS]) == {"succeeded": 1, "refused": WORKERS - 1}
    assert len(inside) == 1
    assert Counter(JobRun.objects.values_list("outcome", flat=True)) == {
        "succeeded": 1,
        "refused": WORKERS - 1,
    }
