"""Claims runs that are due and drives them through their steps (``stepping``), in batches.

What goes wrong in a batch is narrowed down to the run that causes it; the others go on.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import close_old_connections

from apps.common.databases import is_passing
from apps.common.failpoints import failpoint
from apps.common.timeouts import TimedOut
from apps.sagas.definition import Saga, lookup
from apps.sagas.engine import leases, state
from apps.sagas.engine.flights import Flights, Wave
from apps.sagas.engine.outcomes import of_error
from apps.sagas.engine.state import Change, Run
from apps.sagas.engine.stepping import Stepper, after
from apps.sagas.enums import RunStatus

log = structlog.get_logger(__name__)


def drive_batch() -> int:
    """Claims one batch of due runs and drives it as far as it goes; returns how many it claimed."""
    return Driver().drive(batches=1)


class Driver:
    """One holder of claimed runs. ``waiting`` holds them by the step they stand at, ``flights``
    those whose calls are under way outside; ``overloaded`` is called when more is due than a
    batch holds."""

    def __init__(self, *, overloaded: Callable[[], None] | None = None):
        self.overloaded = overloaded
        self.lease = settings.SAGA_LEASE_SECONDS
        self.waiting: dict[tuple, list[Run]] = defaultdict(list)
        self.strange: set[UUID] = set()  # runs whose definition is not the one they came by
        self.flights = Flights()
        self.stepper = Stepper(self.flights, self.lease, self._carry_on)

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
        if len(runs) == room and self.overloaded:
            self.overloaded()
            self.overloaded = None  # once is enough
        self.take(runs)
        return len(runs)

    def take(self, runs: Sequence[Run]) -> None:
        """Takes over ``runs`` that were claimed for this driver. An attempt whose holder never
        came back with an outcome is told of by the next one."""
        self.strange |= _strange(runs)
        self.stepper.note([run for run in runs if run.claims > 1], state.lost)
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
        fit = [run for run in runs if saga and run.id not in self.strange]
        if len(fit) < len(runs):
            self._park_unfit([run for run in runs if not saga or run.id in self.strange])
        killers = [run for run in fit if run.claims > leases.MAX_CLAIMS]
        if killers:
            self._park_killers(killers)
            fit = [run for run in fit if run.claims <= leases.MAX_CLAIMS]
        if fit:
            self._guarded(saga, fit, partial(self._step, saga))

    def _step(self, saga: Saga, runs: list[Run]) -> None:
        landed = self.stepper.step(saga, runs)
        if landed:
            self._land(landed)

    def _land(self, wave: Wave) -> None:
        """Checkpoints what came back; what cannot be recorded is narrowed down."""
        by_run = {run.id: one for run, one in zip(wave.runs, wave.outcomes, strict=True)}
        checkpoint = partial(self.stepper.checkpoint, wave.saga, wave.participant, by_run)
        self._guarded(wave.saga, wave.runs, checkpoint)

    def _guarded(self, saga: Saga, runs: list[Run], act: Callable[[list[Run]], None]) -> None:
        """Does ``act`` for ``runs``. An error is narrowed down to the run that causes it, and only
        that one spends an attempt; unless a database was the cause, which each part would meet
        again."""
        try:
            act(runs)
        except SoftTimeLimitExceeded:
            raise  # the task is over; the leases bring the runs to others
        except TimedOut as error:
            self._late(saga, runs, error)
        except Exception as error:  # noqa: BLE001 - a participant's bug must not touch other runs
            if not is_passing(error):
                self._narrow(saga, runs, act, error)
                return
            text = str(error)
            log.warning("saga.database_failed", runs=len(runs), step=runs[0].step, error=text)
            close_old_connections()  # a broken one is replaced now, not when the task is over
            # What somebody keeps locked waits for its lease to end, not the others with it.
            self._spend_attempt(saga, runs, "raised", error, wait=False)

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

    def _late(self, saga: Saga, runs: list[Run], error: TimedOut) -> None:
        """Which of several ran past its time shows when each is claimed alone; the one that did
        stays alone for its next attempt."""
        log.warning("saga.step_late", runs=len(runs), step=runs[0].step, error=str(error))
        if len(runs) > 1:
            self.stepper.change(runs, lambda run, now: state.apart(run))
            return
        late = of_error(error, "start_to_close")
        self.stepper.change(runs, lambda run, now: replace(after(saga, run, late, now), apart=True))

    def _spend_attempt(
        self, saga: Saga, runs: list[Run], code: str, error: Exception, *, wait: bool = True
    ) -> None:
        outcome = of_error(error, code)
        self.stepper.change(runs, lambda run, now: after(saga, run, outcome, now), wait=wait)

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
        self.stepper.change(runs, lambda run, now: state.park(Change(run), code, detail(run)))

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


def _strange(runs: Sequence[Run]) -> set[UUID]:
    """Those of ``runs`` that stand or came by steps which their definition has no longer there.

    Definitions change between processes only: looking when a run is claimed is enough.
    """
    known = [(run, saga) for run in runs if (saga := lookup(run.kind, run.kind_version))]
    strange = {run.id for run, saga in known if not _stands_where_it_says(saga, run)}
    under_way = [one for one in known if one[0].position > one[1].first or not one[0].forward]
    if under_way:
        came_by = leases.history([run for run, _ in under_way])
        for run, saga in under_way:
            names = enumerate(step.name for step in saga.steps)
            if not came_by[run.id].items() <= set(names):
                strange.add(run.id)
    return strange


def _stands_where_it_says(saga: Saga, run: Run) -> bool:
    if not 0 <= run.position < len(saga.steps) or saga.steps[run.position].name != run.step:
        return False
    step = saga.steps[run.position]
    return (step.forward if run.forward else step.compensation) is not None
