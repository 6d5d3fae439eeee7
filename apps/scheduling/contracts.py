"""What the room tells of its jobs."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run ended: ``outcome`` is ``succeeded`` or ``refused`` (another one is running)."""

    run_id: int
    outcome: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it stands now. Times are the database's; None where there is none."""

    name: str
    title: str
    about: str
    schedule: str
    enabled: bool
    last_started_at: datetime | None
    last_outcome: str | None
    last_seconds: float | None
    last_counts: dict[str, int]
    last_error: str
    last_success_at: datetime | None
    next_run_at: datetime | None
    missed_since: datetime | None

    @property
    def missed(self) -> bool:
        return self.missed_since is not None
