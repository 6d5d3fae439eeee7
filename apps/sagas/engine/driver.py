"""Drives claimed batches through their steps.

For each step of a batch: (begin) one transaction that turns runs back which must not go on and
commits the participant's intent; (execute) the participant, outside any transaction unless it is
local; (checkpoint) one transaction with the participant's records and the runs' next position.
Death between any two of them is repaired by the next holder, who repeats the step with its key.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, transaction

from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.definition import Participant, Saga, lookup
from apps.sagas.engine import leases, state, store
from apps.sagas.engine.flights import Flights, Wave
from apps.sagas.engine.outcomes import ask, of_error
from apps.sagas.engine.state import Change, Run
from apps.sagas.engine.timeouts import StepTimeout, time_limit
from apps.sagas.enums import DATABASE, Direction, RunStatus
from apps.sagas.failpoints import failpoint

log = structlog.get_logger(__name__)
_rng = random.Random()  # noqa: S311 - jitter, not a secret


def drive_batch() -> int:
    """Claims one batch of due runs and drives it as far as it goes; returns how many it claimed."""
    return Driver().drive(batches=1)


class Driver:
    """One holder of claimed runs. ``waiting`` holds them by the step they stand at, ``flights``
    those whose calls are under way outside."""

    def __init__(self):
        self.lease = settings.SAGA_LEASE_SECONDS
        self.waiting: dict[tuple, list[Run]] = defaultdict(list)
        self.flights = Flights()
        self.clock: tuple[datetime, float] | None = None  # the database's time, and ours at it

    def drive(self, *, batches: int | None = None, seconds: float = float("inf")) -> int:
        """Claims and advances runs until none is due; returns how many were claimed.

        After so many ``batches`` or ``seconds`` it claims no more and ends what it holds: each run
        has ended, waits for a later time, or was lost. While calls are under way outside it goes
        on with what else is due.
        """
        end = time.monotonic() + seconds
        claimed = 0
        while True:
            self._renew()
            if self.waiting:
                self._advance_next()
            elif batches != 0 and time.monotonic() < end and (count := self._claim()):
                claimed += count
                batches = None if batches is None else batches - 1
            elif not self.flights:
                return claimed
            for wave in self.flights.land(wait=not self.waiting):
                self._land(wave)

    def _claim(self) -> int:
        room = settings.SAGA_BATCH_RUNS - len(self.flights)
        if room <= 0:
            return 0
        failpoint("saga.claim.before_commit")
        runs = leases.claim(limit=room, weight=settings.SAGA_BATCH_WEIGHT, lease=self.lease)
        failpoint("saga.claim.after_commit")
        self.take(runs)
        return len(runs)

    def take(self, runs: Sequence[Run]) -> None:
        """Takes over ``runs`` that were claimed for this driver."""
        for run in runs:
            self._wait(run)

    def _wait(self, run: Run) -> None:
        # Sorted keys walk each direction from behind, so that runs catch up into one batch.
        distance = run.position if run.forward else -run.position
        self.waiting[run.kind, run.kind_version, run.direction, distance].append(run)

    def _renew(self) -> None:
        """Keeps what waits for slow steps of others or for answers; a step renews its own."""
        old = time.monotonic() - self.lease / 6
        waiting = [run for runs in self.waiting.values() for run in runs if run.leased_at < old]
        flying = [run for run in self.flights.runs() if run.leased_at < old]
        if waiting or flying:
            leases.renew(waiting + flying, self.lease)

    def _advance_next(self) -> None:
        key = min(self.waiting)
        runs = sorted(self.waiting.pop(key), key=lambda run: run.id)
        saga = lookup(key[0], key[1])
        fit = [run for run in runs if saga and _stands_where_it_says(saga, run)]
        if len(fit) < len(runs):
            self._park_unfit([run for run in runs if run not in fit])
        killers = [run for run in fit if run.claims > leases.MAX_CLAIMS]
        if killers:
            self._park_killers(killers)
            fit = [run for run in fit if run.claims <= leases.MAX_CLAIMS]
        if fit:
            self._guarded(saga, fit, partial(self._step, saga))

    def _land(self, wave: Wave) -> None:
        """Checkpoints what came back; what cannot be recorded is narrowed down."""
        by_run = {run.id: one for run, one in zip(wave.runs, wave.outcomes, strict=True)}
        checkpoint = partial(self._checkpoint, wave.saga, wave.participant, by_run)
        self._guarded(wave.saga, wave.runs, checkpoint)

    def _guarded(self, saga: Saga, runs: list[Run], act: Callable[[list[Run]], None]) -> None:
        """Does ``act`` for ``runs``. An error is narrowed down to the run that causes it, and only
        that one spends an attempt; unless a database was the cause, which each part would meet
        again."""
        try:
            act(runs)
        except SoftTimeLimitExceeded:
            raise  # the task is over; the leases bring the runs to others
        except StepTimeout as error:
            close_old_connections()  # a statement may have been cut off in the middle
            self._late(saga, runs, error)
        except (OperationalError, InterfaceError) as error:
            if not _of_the_database(error):
                self._narrow(saga, runs, act, error)
                return
            text = str(error)
            log.warning("saga.database_failed", runs=len(runs), step=runs[0].step, error=text)
            close_old_connections()  # a broken one is replaced now, not when the task is over
            self._spend_attempt(saga, runs, "raised", error)
        except Exception as error:  # noqa: BLE001 - a participant's bug must not touch other runs
            self._narrow(saga, runs, act, error)

    def _narrow(self, saga: Saga, runs: list[Run], act, error: Exception) -> None:
        if len(runs) == 1:
            [run] = runs
            log.exception(
                "saga.step_raised",
                run=str(run.id),
                step=run.step,
                request_id=run.correlation_id,
            )
            self._spend_attempt(saga, runs, "raised", error)
            return
        half = len(runs) // 2
        self._guarded(saga, runs[:half], act)
        self._guarded(saga, runs[half:], act)

    def _late(self, saga: Saga, runs: list[Run], error: StepTimeout) -> None:
        """Which of several ran past its time shows when each is claimed alone."""
        log.warning("saga.step_late", runs=len(runs), step=runs[0].step, error=str(error))
        if len(runs) == 1:
            self._spend_attempt(saga, runs, "start_to_close", error)
            return
        with transaction.atomic(using=DATABASE):
            held, _ = self._hold(runs)
            store.save([state.apart(run) for run in held])
            failpoint("saga.apart.before_commit")
        failpoint("saga.apart.after_commit")

    def _spend_attempt(self, saga: Saga, runs: list[Run], code: str, error: Exception) -> None:
        outcome = of_error(error, code)
        with transaction.atomic(using=DATABASE):
            held, now = self._hold(runs)
            changes = [state.after(saga, run, outcome, now, _rng) for run in held]
            store.save(changes)
            failpoint("saga.attempt.before_commit")
        failpoint("saga.attempt.after_commit")
        self._carry_on(changes)

    def _park_unfit(self, runs: list[Run]) -> None:
        self._park(
            runs,
            "definition_changed",
            lambda run: (
                f"no step {run.step!r} at position {run.position} of {run.kind}"
                f" version {run.kind_version}"
            ),
        )

    def _park_killers(self, runs: list[Run]) -> None:
        text = f"claimed {leases.MAX_CLAIMS} times without progress"
        self._park(runs, "no_progress", lambda run: text)

    def _park(self, runs: list[Run], code: str, detail: Callable[[Run], str]) -> None:
        with transaction.atomic(using=DATABASE):
            held, _ = self._hold(runs)
            changes = [state.park(Change(run), code, detail(run)) for run in held]
            store.save(changes)
            failpoint("saga.park.before_commit")
        failpoint("saga.park.after_commit")
        self._carry_on(changes)

    def _hold(self, runs: list[Run]) -> tuple[list[Run], datetime]:
        held, now = leases.hold(runs, self.lease)
        self.clock = now, time.monotonic()
        return held, now

    def _step(self, saga: Saga, runs: list[Run]) -> None:
        participant = _participant(saga, runs[0])
        limit = saga.steps[runs[0].position].start_to_close
        if participant.local:
            self._step_local(saga, participant, runs, limit)
            return
        going = self._begin(saga, participant, runs)
        if not going:
            return
        for run in (*runs, *going):  # these are what a repeat begins with
            run.begun = True
        calls = _calls(going)
        with time_limit(limit):
            if participant.submit:
                landed = self.flights.start(saga, participant, going, calls)
            else:
                landed = Wave(saga, participant, going, ask(participant, calls))
        failpoint("saga.execute.after")
        if landed:
            self._land(landed)

    def _begin(self, saga: Saga, participant: Participant, runs: list[Run]) -> list[Run]:
        """Turns back what must turn, renews the leases, commits the participant's intent."""
        if participant.prepare is None and self._just_held(saga, runs):
            return runs
        with transaction.atomic(using=DATABASE):
            held, now = self._hold(runs)
            going, turned = _split(saga, held, now)
            store.save(turned)
            if participant.prepare and going:
                participant.prepare(_calls(going))
            failpoint("saga.begin.before_commit")
        failpoint("saga.begin.after_commit")
        self._carry_on(turned)
        return going

    def _just_held(self, saga: Saga, runs: list[Run]) -> bool:
        """Whether the last checkpoint locked ``runs`` so lately that their leases are young, and
        none must turn: then a transaction without an intent to commit would say nothing new."""
        if self.clock is None:
            return False
        moment = time.monotonic()
        now = self.clock[0] + timedelta(seconds=moment - self.clock[1])
        return all(
            moment - run.leased_at < self.lease / 6
            and not run.begun  # a repeat looks whether it is still wanted
            and not state.must_turn(saga, run, now)
            for run in runs
        )

    def _step_local(
        self, saga: Saga, participant: Participant, runs: list[Run], limit: float
    ) -> None:
        with transaction.atomic(using=DATABASE):
            held, now = self._hold(runs)
            going, changes = _split(saga, held, now)
            if going:
                calls = _calls(going)
                with time_limit(limit):
                    outcomes = ask(participant, calls)
                changes += self._changes(saga, going, outcomes, now)
            store.save(changes)
            failpoint("saga.checkpoint.before_commit")
        failpoint("saga.checkpoint.after_commit")
        self._carry_on(changes)

    def _checkpoint(
        self,
        saga: Saga,
        participant: Participant,
        outcomes: Mapping[UUID, Outcome],
        runs: list[Run],
    ) -> None:
        with transaction.atomic(using=DATABASE):
            held, now = self._hold(runs)
            mine = [outcomes[run.id] for run in held]
            if participant.record and held:
                participant.record(_calls(held), mine)
            changes = self._changes(saga, held, mine, now)
            store.save(changes)
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
