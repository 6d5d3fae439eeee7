"""What a saga is made of, and the registry of those that run here."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum

from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.retry import FOR_EVER, RetryPolicy

Execute = Callable[[Sequence[StepCall]], Sequence[Outcome]]
Submit = Callable[[Sequence[StepCall]], Sequence[Outcome | Future[Outcome]]]


@dataclass(frozen=True, slots=True)
class Participant:
    """Who carries out a step: ``execute`` answers each call of a batch, in order.

    - ``local``: works in the saga's own database; runs inside the checkpoint's transaction, only
      for the runs whose lease is still held, so effect and checkpoint commit together.
    - otherwise ``execute`` runs outside any transaction and must be idempotent by ``call.key``.
      ``prepare`` then commits an intent before it, ``record`` writes what came of it together
      with the checkpoint; both run inside the engine's transaction.
    - ``submit`` in place of ``execute`` answers each call with its outcome or a future of it: a
      slow one stays behind while the others go on. The futures touch no database.
    """

    execute: Execute | None = None
    submit: Submit | None = None
    local: bool = False
    prepare: Callable[[Sequence[StepCall]], None] | None = None
    record: Callable[[Sequence[StepCall], Sequence[Outcome]], None] | None = None

    def __post_init__(self) -> None:
        if (self.execute is None) == (self.submit is None):
            raise ValueError("a participant has either execute or submit")
        if self.local and (self.submit or self.prepare or self.record):
            raise ValueError("a local participant has nothing but execute")


class StepKind(Enum):
    COMPENSATABLE = "compensatable"
    PIVOT = "pivot"  # the point of no return: once intended, only a definite no reverses
    RETRIABLE = "retriable"  # after the pivot: repeated until it succeeds


@dataclass(frozen=True, slots=True)
class Step:
    """A step: going forward, and how it is undone. ``start_to_close`` bounds one attempt (s).

    ``forward`` is None for a first step that is done in the transaction that starts the run.
    """

    name: str
    forward: Participant | None
    compensation: Participant | None = None
    kind: StepKind = StepKind.COMPENSATABLE
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    compensation_retry: RetryPolicy = FOR_EVER
    start_to_close: float = 20.0


@dataclass(frozen=True, slots=True)
class Saga:
    """A versioned list of steps. ``deadline`` seconds after its start a run before its pivot
    turns to compensation (None: never). ``compensates_pivot``: the steps before the pivot undo
    it too, so that a person may turn a run back whose pivot never got an answer. ``timed_out`` is
    called for runs that their deadline turns back, in the transaction that does."""

    kind: str
    version: int
    steps: tuple[Step, ...]
    deadline: float | None = 3600.0
    compensates_pivot: bool = False
    timed_out: Callable[[Sequence[StepCall]], None] | None = None
    pivot: int = field(init=False)

    def __post_init__(self) -> None:
        kinds = [step.kind for step in self.steps]
        if kinds.count(StepKind.PIVOT) > 1:
            raise ValueError(f"{self.kind}: more than one pivot")
        pivot = kinds.index(StepKind.PIVOT) if StepKind.PIVOT in kinds else len(kinds)
        after = set(kinds[pivot + 1 :])
        if after - {StepKind.RETRIABLE} or StepKind.RETRIABLE in kinds[:pivot]:
            raise ValueError(f"{self.kind}: retriable steps stand after the pivot, and only they")
        if len({step.name for step in self.steps}) != len(self.steps):
            raise ValueError(f"{self.kind}: two steps share a name")
        object.__setattr__(self, "pivot", pivot)

    @property
    def first(self) -> int:
        """The position a new run starts at."""
        return 0 if self.steps[0].forward else 1

    def compensation_from(self, position: int) -> int:
        """The highest position ≤ ``position`` that has a compensation; -1 if there is none."""
        while position >= 0 and self.steps[position].compensation is None:
            position -= 1
        return position


_registry: dict[tuple[str, int], Saga] = {}


def register(saga: Saga) -> None:
    """Makes ``saga`` known; older versions stay registered as long as runs of theirs live."""
    _registry[saga.kind, saga.version] = saga


def lookup(kind: str, version: int) -> Saga | None:
    """The definition of ``kind`` in ``version``, if it runs here."""
    return _registry.get((kind, version))


def registered() -> tuple[Saga, ...]:
    """All definitions, by kind and version."""
    return tuple(_registry[key] for key in sorted(_registry))
