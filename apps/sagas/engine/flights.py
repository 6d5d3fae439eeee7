"""Calls under way outside: a slow one stays behind while the others of its batch go on."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import dataclass, field

import structlog

from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.definition import Participant, Saga
from apps.sagas.engine.outcomes import BadAnswer, contained, listed, of_error, sane
from apps.sagas.engine.state import Run

log = structlog.get_logger(__name__)
WAVE_SECONDS = 0.05  # what has landed waits no longer than this for company …
WAVE_OUTCOMES = 100  # … nor for more company than this


@dataclass(slots=True)
class Flight:
    """The calls of one batch at one step; ``pending`` holds those that have not landed."""

    saga: Saga
    participant: Participant
    until: float  # monotonic clock, seconds
    pending: dict[Future[Outcome], tuple[Run, StepCall]] = field(default_factory=dict)


@dataclass(slots=True)
class Wave:
    """Runs of one step that landed together, with their outcomes."""

    saga: Saga
    participant: Participant
    runs: list[Run]
    outcomes: list[Outcome]


class Flights:
    """All calls a driver has under way."""

    def __init__(self):
        self._flights: list[Flight] = []

    def __bool__(self) -> bool:
        return bool(self._flights)

    def __len__(self) -> int:
        return sum(len(flight.pending) for flight in self._flights)

    def start(
        self, saga: Saga, participant: Participant, runs: Sequence[Run], calls: Sequence[StepCall]
    ) -> Wave | None:
        """Sends ``calls`` off; each is given up after the step's start-to-close. Returns those
        that were answered at once."""
        with contained():
            answers = listed(participant.submit(calls), calls)
        futures = [answer for answer in answers if isinstance(answer, Future)]
        if len(futures) != len(set(futures)):
            raise BadAnswer("wrong_outcomes", "one future for several calls")
        limit = saga.steps[runs[0].position].start_to_close
        flight = Flight(saga, participant, time.monotonic() + limit)
        wave = Wave(saga, participant, [], [])
        for answer, run, call in zip(answers, runs, calls, strict=True):
            if isinstance(answer, Future):
                flight.pending[answer] = run, call
            else:
                wave.runs.append(run)
                wave.outcomes += sane([answer], [call])
        if flight.pending:
            self._flights.append(flight)
        return wave if wave.runs else None

    def runs(self) -> Iterator[Run]:
        """The runs whose calls are under way."""
        for flight in self._flights:
            for run, _ in flight.pending.values():
                yield run

    def land(self, *, wait: bool) -> list[Wave]:
        """What has come back, a wave for each step. With ``wait`` it stays up to ``WAVE_SECONDS``
        for more, or until ``WAVE_OUTCOMES`` are there."""
        if wait:
            self._wait()
        waves = [wave for flight in self._flights if (wave := _land(flight))]
        self._flights = [flight for flight in self._flights if flight.pending]
        return waves

    def _wait(self) -> None:
        pending = [future for flight in self._flights for future in flight.pending]
        try:
            for landed, _ in enumerate(as_completed(pending, timeout=WAVE_SECONDS), start=1):
                if landed >= WAVE_OUTCOMES:
                    return
        except TimeoutError:
            pass


def _land(flight: Flight) -> Wave | None:
    late = time.monotonic() > flight.until
    landed = [future for future in flight.pending if late or future.done()]
    if not landed:
        return None
    wave = Wave(flight.saga, flight.participant, [], [])
    for future in landed[:WAVE_OUTCOMES]:
        run, call = flight.pending.pop(future)
        wave.runs.append(run)
        wave.outcomes.append(_outcome(future, run, call))
    return wave


def _outcome(future: Future[Outcome], run: Run, call: StepCall) -> Outcome:
    if future.cancelled():
        return Outcome.unknown("raised", "the call was cancelled")
    if not future.done():
        future.cancel()  # one that has begun goes on alone; its key makes a repeat harmless
        return Outcome.unknown("start_to_close", "the call ran past its time")
    error = future.exception()
    if error is None:
        return sane([future.result()], [call])[0]
    log.error(
        "saga.call_raised",
        run=str(run.id),
        step=run.step,
        request_id=run.correlation_id,
        exc_info=error,
    )
    return of_error(error)
