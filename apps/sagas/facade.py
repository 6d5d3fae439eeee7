"""What other apps may do with sagas."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from apps.common.databases import require_atomic
from apps.common.errors import InvalidInput, NotFound
from apps.common.failpoints import failpoint
from apps.common.ids import new_id
from apps.sagas import selectors
from apps.sagas.contracts import RepairProspect, RunState, RunView, SagaMoment, SagaTrouble
from apps.sagas.definition import lookup
from apps.sagas.engine import choreography, repair, store
from apps.sagas.enums import DATABASE, RunStatus, Style
from apps.sagas.nudge import nudge_after_commit

MOST_REASON = 200  # characters of why a person repairs a run


def start(
    *,
    kind: str,
    version: int,
    business_key: str,
    data: dict[str, Any] | None = None,
    weight: int = 1,
    correlation_id: str = "",
    deadline: float | None = None,
    fresh: bool = False,
    again: bool = False,
    style: Style = Style.ORCHESTRATED,
) -> UUID:
    """Starts a run inside the caller's transaction on ``orders``; it begins once that commits.

    A run of the same kind and business key is started once: its id is returned again.
    ``deadline`` (seconds) takes the place of the definition's. ``fresh`` says that the business
    key was made just now: the run is written as it comes, and one with that key is an error.
    ``again``: one that was refused before anything had to be undone tries again where it was
    refused, with the new ``data``. A run of ``style`` choreographed is driven by nobody: its
    participants tell of it (``engine.choreography``).
    """
    require_atomic(DATABASE)
    saga = lookup(kind, version)
    if saga is None:
        raise NotFound(f"no saga {kind} version {version}")
    run_id = new_id()
    inserted = store.insert(
        run_id=run_id,
        kind=kind,
        kind_version=version,
        business_key=business_key,
        position=saga.first,
        step=saga.steps[saga.first].name,
        data=data or {},
        weight=weight,
        deadline=saga.deadline if deadline is None else deadline,
        correlation_id=correlation_id,
        done=[step.name for step in saga.steps[: saga.first]],
        fresh=fresh,
        style=style.value,
    )
    if style is Style.ORCHESTRATED:
        nudge_after_commit()
    if inserted:
        return run_id
    known = selectors.run_id(kind=kind, business_key=business_key)
    if again and selectors.run_status(known) == RunStatus.COMPENSATED:
        repair.ask_again(known, data or {})
    return known


def begin_pivot(*, kind: str, version: int, business_keys: Sequence[str]) -> set[str]:
    """Lets choreographed runs take their point of no return, in the caller's transaction; returns
    those that may: from now on nothing but its definite no turns them back."""
    return choreography.begin_pivot(lookup(kind, version), business_keys)


def start_many(*, kind: str, version: int, starts: Mapping[str, str]) -> None:
    """Starts a run for each business key (with the id of the request that caused it) inside the
    caller's transaction; where there is one of that kind already, it stays as it is."""
    require_atomic(DATABASE)
    if not starts:
        return
    saga = lookup(kind, version)
    store.insert_ready(
        kind=kind,
        kind_version=version,
        position=saga.first,
        step=saga.steps[saga.first].name,
        runs=[(new_id(), key, correlation_id) for key, correlation_id in sorted(starts.items())],
    )
    nudge_after_commit()


def request_abort(run_id: UUID, reason: str = "abort_requested") -> bool:
    """Asks a live run to undo itself before its pivot, with ``reason`` for its error code; False
    if it has ended already."""
    nudge_after_commit()
    return store.request_abort(run_id, reason)


def wake(run_id: UUID) -> bool:
    """What a waiting run waits for has come, in the caller's transaction; False if it has ended."""
    require_atomic(DATABASE)
    nudge_after_commit()
    return store.wake(run_id)


def run_view(run_id: UUID) -> RunView | None:
    """A run with its steps, or None."""
    return selectors.run_view(run_id)


def run_status(run_id: UUID) -> str | None:
    """The status of a run, or None if there is none."""
    return selectors.run_status(run_id)


def states(*, kind: str, business_keys: Sequence[str]) -> dict[str, RunState]:
    """The state of each run of ``kind`` by business key."""
    return selectors.states(kind=kind, business_keys=business_keys)


def is_choreographed(run_id: UUID) -> bool:
    """Whether the run's participants carry it on by events."""
    return selectors.run_style(run_id) == Style.CHOREOGRAPHED


def runs_of(business_key: str) -> tuple[RunState, ...]:
    """All runs of a business key, oldest first."""
    return selectors.runs_of(business_key=business_key)


def stale_runs(*, older_than: float) -> Iterator[UUID]:
    """Live runs begun more than ``older_than`` seconds ago."""
    return selectors.stale_runs(older_than=older_than)


def history(*business_keys: str, most: int = 500) -> tuple[SagaMoment, ...]:
    """What happened to all runs of these keys, oldest first; at most ``most`` moments."""
    return selectors.history(business_keys=business_keys, most=most)


def troubled(*, slow_after: float, most: int = 10) -> tuple[int, int, tuple[SagaTrouble, ...]]:
    """How many runs are parked, how many live ones are older than ``slow_after`` seconds, and
    the oldest of both (at most ``most``), parked first."""
    return selectors.troubled(slow_after=slow_after, most=most)


# --- a person's hand on a run ------------------------------------------------------------------
# Each takes the ``version`` that the person saw and why they do it (1 to 200 characters), noted in
# the run's log and the audit log of staff. Raises ``InvalidInput``, ``RunNotFound``,
# ``VersionConflict``, ``RunHeld`` (a worker has the run) and ``NotRepairable``.
def retry_run(run_id: UUID, version: int | None, reason: str) -> RunState:
    """Makes a run due now with fresh attempts: one that waits for its next attempt, one that is
    parked (at its step, or at the compensations that were given up), or one that was refused
    before anything had to be undone."""
    return _repair("retry", run_id, version, reason)


def compensate_run(run_id: UUID, version: int | None, reason: str) -> RunState:
    """Turns a run back that is before its point of no return; a live one is asked to turn."""
    return _repair("compensate", run_id, version, reason)


def park_run(run_id: UUID, version: int | None, reason: str) -> RunState:
    """Takes a live run away from the workers until a person sends it on."""
    return _repair("park", run_id, version, reason)


def mark_step_done(run_id: UUID, version: int | None, reason: str) -> RunState:
    """Takes a person's word that the step or compensation at which a run is parked was done; the
    run goes on from there."""
    return _repair("mark_done", run_id, version, reason)


def repair_prospects(action: str, run_ids: Sequence[UUID]) -> tuple[RepairProspect, ...]:
    """What ``action`` (retry, compensate, park, mark_done) would meet at each of the runs now."""
    return tuple(repair.prospects(action, run_ids))


def possible_repairs(run_id: UUID) -> dict[str, str]:
    """For each action why it is not possible for the run now, or "" if it is."""
    return repair.possible(run_id)


def _repair(action: str, run_id: UUID, version: int | None, reason: str) -> RunState:
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= MOST_REASON:
        raise InvalidInput.field("reason", "length", f"between 1 and {MOST_REASON} characters")
    with transaction.atomic(using=DATABASE):
        done = repair.repair(action, run_id=run_id, version=version, reason=reason)
        failpoint("saga.repair.before_commit")
        nudge_after_commit()
    failpoint("saga.repair.after_commit")
    return done
