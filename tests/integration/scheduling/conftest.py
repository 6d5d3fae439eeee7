"""Jobs of the tests' own, beside the shop's."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from celery import current_app

from apps.scheduling import definition, services
from apps.scheduling.definition import Counts, Job


@pytest.fixture
def make_job(monkeypatch) -> Callable[..., Job]:
    """``make_job(function, name=…, schedule=…)``: a registered job, forgotten with the test."""
    monkeypatch.setattr(definition, "_registered", {})

    def make(
        function: Callable[[], Counts] = dict, name: str = "sweep", database="catalog", **values
    ) -> Job:
        values = {"schedule": timedelta(minutes=10)} | values
        job = Job(
            name, name.title(), f"Does {name}.", database=database, function=function, **values
        )
        services.job_register(job)
        return job

    yield make
    for name in [name for name in current_app.tasks if name.startswith("jobs.sweep")]:
        current_app.tasks.unregister(name)
