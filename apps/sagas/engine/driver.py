"""Drives claimed batches through their steps.

For each step of a batch: (begin) one transaction that turns runs back which must not go on and
commits the participant's intent; (execute) the participant, outside any transaction unless it is
local; (checkpoint) one transaction with the participant's records and the runs' next position.
Death between any two of them is repaired by the next holder, who repeats the step with its key.
"""

import random
import time
from collections import defaultdict
from collections.abc import Sequence

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, transaction

from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.definition import Participant, Saga, lookup
from apps.sagas.engine import state, store
from apps.sagas.engine.outcomes import sane, storable
from apps.sagas.engine.state import Change, Run
from apps.sagas.enums import DATABASE, Direction, RunStatus
from apps.sagas.failpoints import failpoint

log = structlog.get_logger(__name__)
_rng = random.Random()  # noqa: S311 - jitter, not a secret


def drive_batch() -> int:
    """Claims one batch of due runs and drives it as far as it goes; returns how many it claimed."""
    token, runs = store.claim(
        limit=settings.SAGA_BATCH_RUNS,
        weight=settings.SAGA_BATCH_WEIGHT,
        lease=settings.SAGA_LEASE_SECONDS,
    )
    failpoint("saga.claim.after_commit")
    if runs:
        Driver(token, runs).drive()
    return len(runs)


class Driver:
    """One claimed batch. ``waiting`` holds its runs by the step they stand at."""

    def __init__(self, token: int, runs: Sequence[Run]):
        self.token = token
        self.lease = settings.SAGA_LEASE_SECONDS
        self.waiting: dict[tuple, list[Run]] = defaultdict(list)
        self.renewed = time.monotonic()
        for run in runs:
            self._wait(run)

    def _wait(self, run: Run) -> None:
        # Sorted keys walk each direction from behind, so that runs catch up into one batch.
        distance = run.position if run.forward else -run.position
        self.waiting[run.kind, run.kind_version, run.direction, distance].append(run)

    def drive(self) -> None:
        """Advances all runs until each has ended, waits for a later time, or was lost."""
        while self.waiting:
            self._renew()
            key = min(self.waiting)
            runs = sorted(self.waiting.pop(key), key=lambda run: run.id)
            saga = lookup(key[0], key[1])
            fit = [run for run in runs if saga and _stands_where_it_says(saga, run)]
            if len(fit) < len(runs):
                self._park_unfit([run for run in runs if run not in fit])
            if fit:
                self._advance(saga, fit)

    def _renew(self) -> None:
        """Keeps the runs that wait for slow steps of others; a step renews its own."""
        if time.monotonic() - self.renewed > self.lease / 3:
            waiting = [run.id for runs in self.waiting.values() for run in runs]
            store.renew(self.token, waiting, self.lease)
            self.renewed = time.monotonic()

    def _park_unfit(self, runs: list[Run]) -> None:
        with transaction.atomic(using=DATABASE):
            held, _ = store.hold(self.token, runs, self.lease)
            changes = [
                state.park(
                    Change(run),
                    "definition_changed",
                    f"no step {run.step!r} at position {run.position} of {run.kind}"
                    f" version {run.kind_version}",
                )
                for run in held
            ]
            store.save(self.token, changes)
        self._carry_on(changes)

    def _advance(self, saga: Saga, runs: list[Run]) -> None:
        """One step of ``runs``. An error is narrowed down to the run that causes it, and only that
        one spends an attempt; unless a database was the cause, which each part would meet again."""
        killers = [run for run in runs if run.claims > store.MAX_CLAIMS]
        if killers:
            self._park_killers(killers)
            runs = [run for run in runs if run.claims <= store.MAX_CLAIMS]
            if not runs:
                return
        try:
            self._step(saga, runs)
        except SoftTimeLimitExceeded:
            raise  # the task is over; the leases bring the runs to others
        except (OperationalError, InterfaceError) as error:
            if not _of_the_database(error):
                self._narrow(saga, runs, error)
                return
            text = str(error)
            log.warning("saga.database_failed", runs=len(runs), step=runs[0].step, error=text)
            close_old_connections()  # a broken one is replaced now, not when the task is over
            self._spend_attempt(saga, runs, error)
        except Exception as error:  # noqa: BLE001 - a participant's bug must not touch other runs
            self._narrow(saga, runs, error)

    def _narrow(self, saga: Saga, runs: list[Run], error: Exception) -> None:
        if len(runs) == 1:
            [run] = runs
            log.exception(
                "saga.step_raised",
                run=str(run.id),
                step=run.step,
                request_id=run.correlation_id,
            )
            self._spend_attempt(saga, runs, error)
            return
        half = len(runs) // 2
        self._advance(saga, runs[:half])
        self._advance(saga, runs[half:])

    def _spend_attempt(self, saga: Saga, runs: list[Run], error: Exception) -> None:
        outcome = Outcome.unknown("raised", storable(f"{type(error).__name__}: {error}"))
        with transaction.atomic(using=DATABASE):
            held, now = store.hold(self.token, runs, self.lease)
            changes = [state.after(saga, run, outcome, now, _rng) for run in held]
            store.save(self.token, changes)
        self._carry_on(changes)

    def _park_killers(self, runs: list[Run]) -> None:
        with transaction.atomic(using=DATABASE):
            held, _ = store.hold(self.token, runs, self.lease)
            text = f"claimed {store.MAX_CLAIMS} times without progress"
            changes = [state.park(Change(run), "no_progress", text) for run in held]
            store.save(self.token, changes)
        self._carry_on(changes)

    def _step(self, saga: Saga, runs: list[Run]) -> None:
        participant = _participant(saga, runs[0])
        if participant.local:
            self._step_local(saga, participant, runs)
            return
        going = self._begin(saga, participant, runs)
        if not going:
            return
        for run in runs:  # these are what a repeat begins with
            run.begun = True
        calls = _calls(going)
        outcomes = sane(participant.execute(calls), calls)
        failpoint("saga.execute.after")
        self._checkpoint(saga, participant, going, outcomes)

    def _begin(self, saga: Saga, participant: Participant, runs: list[Run]) -> list[Run]:
        """Turns back what must turn, renews the leases, commits the participant's intent."""
        with transaction.atomic(using=DATABASE):
            held, now = store.hold(self.token, runs, self.lease)
            going, turned = _split(saga, held, now)
            store.save(self.token, turned)
            if participant.prepare and going:
                participant.prepare(_calls(going))
            failpoint("saga.begin.before_commit")
        failpoint("saga.begin.after_commit")
        self._carry_on(turned)
        return going

    def _step_local(self, saga: Saga, participant: Participant, runs: list[Run]) -> None:
        with transaction.atomic(using=DATABASE):
            held, now = store.hold(self.token, runs, self.lease)
            going, changes = _split(saga, held, now)
            if going:
                calls = _calls(going)
                outcomes = sane(participant.execute(calls), calls)
                changes += self._changes(saga, going, outcomes, now)
            store.save(self.token, changes)
            failpoint("saga.checkpoint.before_commit")
        failpoint("saga.checkpoint.after_commit")
        self._carry_on(changes)

    def _checkpoint(
        self, saga: Saga, participant: Participant, runs: list[Run], outcomes: list[Outcome]
    ) -> None:
        by_run = {run.id: outcome for run, outcome in zip(runs, outcomes, strict=True)}
        with transaction.atomic(using=DATABASE):
            held, now = store.hold(self.token, runs, self.lease)
            mine = [by_run[run.id] for run in held]
            if participant.record and held:
                participant.record(_calls(held), mine)
            changes = self._changes(saga, held, mine, now)
            store.save(self.token, changes)
            failpoint("saga.checkpoint.before_commit")
        failpoint("saga.checkpoint.after_commit")
        self._carry_on(changes)

    def _changes(self, saga, runs, outcomes, now) -> list[Change]:
        return [
            state.after(saga, run, outcome, now, _rng)
            for run, outcome in zip(runs, outcomes, strict=True)
        ]

    def _carry_on(self, changes: list[Change]) -> None:
        for change in changes:
            if change.goes_on:
                self._wait(change.run)
            elif change.run.status == RunStatus.FAILED:
                _alert(change.run)


def _alert(run: Run) -> None:
    """Nobody but a person goes on with a parked run."""
    log.error(
        "saga.parked",
        run=str(run.id),
        kind=run.kind,
        business_key=run.business_key,
        step=run.step,
        code=run.error_code,
        detail=run.error_detail,
        request_id=run.correlation_id,
    )


def _stands_where_it_says(saga: Saga, run: Run) -> bool:
    if not 0 <= run.position < len(saga.steps) or saga.steps[run.position].name != run.step:
        return False
    step = saga.steps[run.position]
    return (step.forward if run.forward else step.compensation) is not None


def _participant(saga: Saga, run: Run) -> Participant:
    step = saga.steps[run.position]
    return step.forward if run.forward else step.compensation


def _split(saga: Saga, runs: list[Run], now) -> tuple[list[Run], list[Change]]:
    going, turned = [], []
    for run in runs:
        reason = state.must_turn(saga, run, now)
        if reason:
            turned.append(state.turn(saga, run, now, *reason))
        else:
            going.append(run)
    return going, turned


def _calls(runs: Sequence[Run]) -> list[StepCall]:
    return [
        StepCall(
            run.id,
            run.business_key,
            run.key(run.direction),
            run.key(Direction.FORWARD),
            run.attempt,
            run.data,
            run.error_code,
            run.correlation_id,
        )
        for run in runs
    ]


def _of_the_database(error: Exception) -> bool:
    """Whether a database went away (no SQLSTATE, or class 08 or 57P), has no room (class 53), or
    a lock was not to be had (class 40, 55P03)."""
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    return sqlstate is None or sqlstate.startswith(("08", "40", "53", "55P03", "57P"))
