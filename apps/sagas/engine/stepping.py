"""Takes a batch one step on.

(begin) one transaction that turns runs back which must not go on and commits the participant's
intent; (execute) the participant, outside any transaction unless it is local; (checkpoint) one
transaction with the participant's records and the runs' next position. Death between any two of
them is repaired by the next holder, who repeats the step with its key.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction

from apps.common.failpoints import failpoint
from apps.common.timeouts import in_time
from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.definition import Participant, Saga
from apps.sagas.engine import leases, state, store
from apps.sagas.engine.flights import Flights, Wave
from apps.sagas.engine.outcomes import ask
from apps.sagas.engine.state import Change, LogRecord, Run
from apps.sagas.enums import DATABASE, Direction

_rng = random.Random()  # noqa: S311 - jitter, not a secret


class Stepper:
    """What a driver does to its batches. ``carry_on`` hears of every change once it is committed,
    ``flights`` takes calls that are under way outside."""

    def __init__(self, flights: Flights, lease: float, carry_on: Callable[[list[Change]], None]):
        self.flights = flights
        self.lease = lease
        self.carry_on = carry_on
        self.clock: tuple[datetime, float] | None = None  # the database's time, and ours at it

    def hold(self, runs: Sequence[Run], *, wait: bool = True) -> tuple[list[Run], datetime]:
        held, now = leases.hold(runs, self.lease, wait=wait)
        self.clock = now, time.monotonic()
        return held, now

    def change(
        self, runs: Sequence[Run], change: Callable[[Run, datetime], Change], *, wait: bool = True
    ) -> None:
        """Commits ``change`` of those ``runs`` that are still held; see ``leases.hold``."""
        with transaction.atomic(using=DATABASE):
            held, now = self.hold(runs, wait=wait)
            changes = [change(run, now) for run in held]
            store.save(changes)
            failpoint("saga.change.before_commit")
        failpoint("saga.change.after_commit")
        self.carry_on(changes)

    def note(self, runs: Sequence[Run], note: Callable[[Run], LogRecord]) -> None:
        """Appends a line to the log of those ``runs`` that are still held."""
        if not runs:
            return
        with transaction.atomic(using=DATABASE):
            held, _ = self.hold(runs)
            store.log([note(run) for run in held])
            failpoint("saga.note.before_commit")
        failpoint("saga.note.after_commit")

    def step(self, saga: Saga, runs: list[Run]) -> Wave | None:
        """One step of ``runs``, which stand at the same; what was answered without a flight is
        returned to be checkpointed."""
        participant = _participant(saga, runs[0])
        limit = saga.steps[runs[0].position].start_to_close
        if participant.local:
            self._step_local(saga, participant, runs, limit)
            return None
        going = self._begin(saga, participant, runs)
        if not going:
            return None
        for run in (*runs, *going):  # these are what a repeat begins with
            run.begun = True
        calls = _calls(going)
        if participant.submit:
            start = partial(self.flights.start, saga, participant, going, calls)
            landed = in_time(limit, start)
        else:
            outcomes = in_time(limit, partial(ask, participant, calls))
            landed = Wave(saga, participant, going, outcomes)
        failpoint("saga.execute.after")
        return landed

    def _begin(self, saga: Saga, participant: Participant, runs: list[Run]) -> list[Run]:
        """Turns back what must turn, renews the leases, commits the participant's intent."""
        if participant.prepare is None and self._just_held(saga, runs):
            return runs
        with transaction.atomic(using=DATABASE):
            held, now = self.hold(runs)
            going, turned = _split(saga, held, now)
            store.save(turned)
            if participant.prepare and going:
                participant.prepare(_calls(going))
            failpoint("saga.begin.before_commit")
        failpoint("saga.begin.after_commit")
        self.carry_on(turned)
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
            held, now = self.hold(runs)
            going, changes = _split(saga, held, now)
            if going:
                calls = _calls(going)
                outcomes = in_time(limit, partial(ask, participant, calls))
                changes += _changes(saga, going, outcomes, now)
            store.save(changes)
            failpoint("saga.checkpoint.before_commit")
        failpoint("saga.checkpoint.after_commit")
        self.carry_on(changes)

    def checkpoint(
        self,
        saga: Saga,
        participant: Participant,
        outcomes: Mapping[UUID, Outcome],
        runs: list[Run],
    ) -> None:
        with transaction.atomic(using=DATABASE):
            held, now = self.hold(runs)
            mine = [outcomes[run.id] for run in held]
            if participant.record and held:
                participant.record(_calls(held), mine)
            changes = _changes(saga, held, mine, now)
            store.save(changes)
            failpoint("saga.checkpoint.before_commit")
        failpoint("saga.checkpoint.after_commit")
        self.carry_on(changes)


def after(saga: Saga, run: Run, outcome: Outcome, now: datetime) -> Change:
    """The change that ``outcome`` makes, with a delay by chance where it is to be tried again."""
    return state.after(saga, run, outcome, now, _rng)


def _changes(saga, runs: Sequence[Run], outcomes: Sequence[Outcome], now) -> list[Change]:
    return [after(saga, run, one, now) for run, one in zip(runs, outcomes, strict=True)]


def _participant(saga: Saga, run: Run) -> Participant:
    step = saga.steps[run.position]
    return step.forward if run.forward else step.compensation


def _split(saga: Saga, runs: list[Run], now) -> tuple[list[Run], list[Change]]:
    going, turned, late = [], [], []
    for run in runs:
        reason = state.must_turn(saga, run, now)
        if reason:
            turned.append(state.turn(saga, run, now, *reason))
            if reason[0] == state.DEADLINE_EXCEEDED:
                late.append(run)
        else:
            going.append(run)
    if late and saga.timed_out:
        saga.timed_out(_calls(late))
    return going, turned


def _calls(runs: Sequence[Run]) -> list[StepCall]:
    calls = []
    for run in runs:
        key = run.key(run.direction)
        forward_key = key if run.forward else run.key(Direction.FORWARD)
        calls.append(
            StepCall(
                *(run.id, run.business_key, key, forward_key, run.attempt, run.data),
                *(run.error_code, run.correlation_id),
            )
        )
    return calls
