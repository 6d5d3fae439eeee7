"""What a saga's participants see: calls in, outcomes out."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class StepCall:
    """One step of one run, to be executed.

    ``key`` names the effect, not the attempt: it stays the same however often the step is
    repeated. ``forward_key`` is the key of the forward step that a compensation undoes (equal to
    ``key`` going forward). ``data`` is the run's own data, ``attempt`` starts at 1, ``reason`` is
    the code of what turned the run back (empty going forward), ``correlation_id`` the request that
    started the run.
    """

    run_id: UUID
    business_key: str
    key: str
    forward_key: str
    attempt: int
    data: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    correlation_id: str = ""


def step_key(run_id: UUID | str, position: int, direction: str) -> str:
    """The key of a step's effect: run, position and direction (``F`` or ``B``), no attempt."""
    return f"{run_id}:{position}:{direction}"


class OutcomeKind(StrEnum):
    SUCCESS = "success"
    RETRYABLE = "retryable"  # nothing happened; try again later
    REJECTED = "rejected"  # the business says no, for good
    UNKNOWN = "unknown"  # may have happened; repeat with the same key until definite
    # Nothing happened and nothing is wrong: asked again when it is woken. For local steps, whose
    # look and checkpoint are one transaction; elsewhere a wake in between would go unheard.
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call. ``result`` is JSON, at most 16 KiB; ``code`` is machine-readable."""

    kind: OutcomeKind
    result: dict[str, Any] | None = None
    code: str = ""
    detail: str = ""

    @classmethod
    def success(cls, **result: Any) -> "Outcome":
        return cls(OutcomeKind.SUCCESS, result)

    @classmethod
    def rejected(cls, code: str, detail: str = "") -> "Outcome":
        return cls(OutcomeKind.REJECTED, None, code, detail)

    @classmethod
    def retryable(cls, code: str, detail: str = "") -> "Outcome":
        return cls(OutcomeKind.RETRYABLE, None, code, detail)

    @classmethod
    def unknown(cls, code: str, detail: str = "") -> "Outcome":
        return cls(OutcomeKind.UNKNOWN, None, code, detail)

    @classmethod
    def waiting(cls, code: str) -> "Outcome":
        return cls(OutcomeKind.WAITING, None, code)


@dataclass(frozen=True, slots=True)
class RunState:
    run_id: UUID
    kind: str
    business_key: str
    status: str
    version: int


@dataclass(frozen=True, slots=True)
class StepView:
    """A step that has begun; ``direction`` is ``forward`` or ``compensation``."""

    name: str
    direction: str
    status: str
    attempts: int
    error_code: str
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as its owner may see it."""

    run_id: UUID
    kind: str
    business_key: str
    status: str
    step: str
    version: int
    error_code: str
    correlation_id: str
    created_at: datetime
    finished_at: datetime | None
    steps: tuple[StepView, ...] = ()


@dataclass(frozen=True, slots=True)
class SagaMoment:
    """Something that happened to a run: a step (``step`` names it, ``event`` is its status, ``at``
    its end or else its beginning, ``seconds`` how long it took) or a line of the log (``step`` is
    empty)."""

    at: datetime
    run_id: UUID
    kind: str
    step: str
    event: str
    direction: str
    attempt: int
    code: str
    detail: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class SagaTrouble:
    """A run that wants a person (``parked``), or is live for longer than it should be."""

    run_id: UUID
    kind: str
    business_key: str
    step: str
    code: str
    created_at: datetime
    parked: bool


@dataclass(frozen=True, slots=True)
class RepairProspect:
    """Whether a person's action on a run would be possible now: ``refusal`` says why not ("" if it
    would); ``version`` is the one that was looked at."""

    run_id: UUID
    version: int
    refusal: str
