"""How an app declares a job, and the jobs that ``project/wiring.py`` has registered.

    @job(name="expire-holds", title="Expire holds", about="…",
         schedule=timedelta(minutes=1), database="catalog")
    def expire_holds() -> Counts: ...

A job is safe to run twice: whatever it does, it finds again in the database what is left to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from celery.schedules import crontab

Counts = Mapping[str, int]  # what a run did, in a few numbers: {"holds": 3, "pieces": 7}


@dataclass(frozen=True, slots=True)
class Job:
    """``schedule`` is the one it starts with; staff may change it. ``database`` is the alias it
    mainly works on: its lock is taken there, so whoever cannot reach it does not run."""

    name: str
    title: str
    about: str
    schedule: timedelta | crontab
    database: str
    function: Callable[[], Counts]

    @property
    def task(self) -> str:
        """The name of its Celery task."""
        return f"jobs.{self.name}"


_registered: dict[str, Job] = {}


def job(
    *, name: str, title: str, about: str, schedule: timedelta | crontab, database: str
) -> Callable[[Callable[[], Counts]], Job]:
    """Makes a job of the function below."""

    def declare(function: Callable[[], Counts]) -> Job:
        return Job(name, title, about, schedule, database, function)

    return declare


def register(one: Job) -> None:
    """Makes the job known. Raises ``ValueError`` where another has its name."""
    if _registered.setdefault(one.name, one) is not one:
        raise ValueError(f"two jobs are called {one.name}")


def registered() -> Mapping[str, Job]:
    """All jobs by name, in the order of their names."""
    return dict(sorted(_registered.items()))
