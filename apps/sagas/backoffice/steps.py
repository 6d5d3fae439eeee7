"""A run's story for its page: each step with its attempts, and what is still to come."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from apps.sagas.backoffice.filters import words
from apps.sagas.definition import StepKind, lookup
from apps.sagas.enums import LIVE, Direction
from apps.sagas.models import SagaLogEntry, SagaRun

MOST_LINES = 500
ONE_LINE = 80  # characters of JSON
ICONS = {
    "completed": "check_circle",
    "compensated": "undo",
    "failed": "error",
    "unknown": "help",
    "in_progress": "pending",
    "pending": "schedule",
    "to come": "radio_button_unchecked",
}


@dataclass(slots=True)
class StepStory:
    """One step in one direction; ``lines`` are what its log says, an attempt each."""

    name: str
    compensation: bool
    status: str
    kind: str = ""
    attempts: int = 0
    code: str = ""
    detail: str = ""
    began: datetime | None = None
    ended: datetime | None = None
    took: str = ""
    result: str = ""
    present: bool = False
    lines: list[SagaLogEntry] = field(default_factory=list)

    @property
    def icon(self) -> str:
        return ICONS.get(self.status, "schedule")

    @property
    def title(self) -> str:
        return f"Undo: {words(self.name).lower()}" if self.compensation else words(self.name)


def story(run: SagaRun, log: Sequence[SagaLogEntry]) -> list[StepStory]:
    """The steps in the order they began, the present one, then those still to come."""
    lines: dict[tuple[int, str], list[SagaLogEntry]] = defaultdict(list)
    for line in log:
        lines[line.position, line.direction].append(line)
    saga = lookup(run.kind, run.kind_version)
    kinds = {step.name: step.kind.value for step in saga.steps} if saga else {}
    told, known = [], set()
    for step in run.steps.order_by("started_at", "id"):
        place = step.position, step.direction
        known.add(place)
        told.append(
            StepStory(
                step.name,
                step.direction == Direction.BACKWARD,
                step.status,
                _kind(kinds.get(step.name, "")),
                step.attempts,
                step.error_code,
                step.error_detail,
                step.started_at,
                step.finished_at,
                took(step.started_at, step.finished_at),
                pretty(step.result),
                place == (run.position, run.direction) and run.status in LIVE,
                lines[place],
            )
        )
    here = run.position, run.direction
    live = run.status in LIVE
    if live and here not in known:
        back = run.direction == Direction.BACKWARD
        status = "in_progress" if run.lease_token else "pending"
        story_ = StepStory(run.step, back, status, _kind(kinds.get(run.step, "")))
        story_.present, story_.lines = True, lines[here]
        told.append(story_)
    if saga and live and run.direction == Direction.FORWARD:
        told += [
            StepStory(step.name, False, "to come", _kind(step.kind.value))
            for step in saga.steps[run.position + 1 :]
        ]
    return told


def took(began: datetime, ended: datetime | None) -> str:
    """How long, for people."""
    if ended is None:
        return ""
    seconds = (ended - began).total_seconds()
    return f"{seconds * 1000:,.0f} ms" if seconds < 10 else f"{seconds:,.0f} s"


def pretty(value: Any) -> str:
    """JSON, indented where it is long; nothing for nothing."""
    if value in (None, {}):
        return ""
    line = orjson.dumps(value, default=str).decode()
    if len(line) <= ONE_LINE:
        return line
    return orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode()


def _kind(kind: str) -> str:
    return {
        StepKind.PIVOT.value: "point of no return",
        StepKind.RETRIABLE.value: "repeated until done",
    }.get(kind, "")
