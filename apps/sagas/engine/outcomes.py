"""What participants answer, made fit to be kept; and what stands for an answer that is none.

Whatever a participant does, it hurts the run it did it to: a bad outcome takes the place of that
call's alone, an error is narrowed down by the driver, which asks for halves of the batch.
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

import orjson

from apps.common.storing import NOT_STORABLE, storable, text_of_error
from apps.sagas.contracts import Outcome, OutcomeKind, StepCall
from apps.sagas.definition import Participant

MAX_RESULT_BYTES = 16 * 1024


class BadAnswer(Exception):
    """A participant answered what no outcome can be made of; ``code`` says in which way."""

    def __init__(self, code: str, detail: str):
        super().__init__(detail)
        self.code, self.detail = code, detail


def ask(participant: Participant, calls: Sequence[StepCall]) -> list[Outcome]:
    """The outcomes of ``execute``, one for each call, fit to be kept.

    Raises ``BadAnswer`` where they cannot be told apart. For a local participant one bad outcome
    raises as well: what it did must not commit with a checkpoint that says that nobody knows.
    """
    with contained():
        answer = participant.execute(calls)
        return sane(answer, calls, strict=participant.local)


@contextmanager
def contained() -> Iterator[None]:
    """What a participant raises beside ``Exception`` becomes ``BadAnswer``: it is to end the
    attempt, not the process."""
    try:
        yield
    except (Exception, KeyboardInterrupt):
        raise
    except BaseException as error:
        # The pool ends its processes by SystemExit with a negative code: that is not the
        # participant's doing, and the leases bring its runs to others.
        if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code < 0:
            raise
        raise BadAnswer("raised", text_of_error(error)) from error


def sane(answer: Any, calls: Sequence[StepCall], *, strict: bool = False) -> list[Outcome]:
    """The outcomes in ``answer``, checked: one for each call, results small and serialisable.

    A bad one becomes ``unknown`` with a code that says why, or with ``strict`` an error.
    """
    return [_checked(outcome, strict) for outcome in listed(answer, calls)]


def listed(answer: Any, calls: Sequence[StepCall]) -> list[Any]:
    """What ``answer`` has for each call; raises ``BadAnswer`` where that cannot be told."""
    try:
        answers = list(islice(answer, len(calls) + 1))
    except TypeError as error:
        if hasattr(answer, "__iter__"):
            raise  # a generator's own
        raise BadAnswer("no_outcomes", f"answered {type(answer).__name__}") from error
    if len(answers) != len(calls):
        number = len(answers) if len(answers) < len(calls) else f"more than {len(calls)}"
        raise BadAnswer("wrong_outcomes", f"{number} outcomes for {len(calls)} calls")
    return answers


def of_error(error: BaseException, code: str = "raised") -> Outcome:
    """The outcome that stands for an attempt which ended in ``error``."""
    if isinstance(error, BadAnswer):
        return Outcome.unknown(error.code, error.detail)
    return Outcome.unknown(code, text_of_error(error))


def _checked(outcome: Any, strict: bool) -> Outcome:
    try:
        return _sane_one(outcome)
    except BadAnswer as bad:
        if strict:
            raise
        return of_error(bad)


def _sane_one(outcome: Any) -> Outcome:
    if not isinstance(outcome, Outcome):
        raise BadAnswer("no_outcome", f"answered {type(outcome).__name__}")
    kind, code, detail = outcome.kind, outcome.code, outcome.detail
    if not (isinstance(kind, OutcomeKind) and isinstance(code, str) and isinstance(detail, str)):
        types = ", ".join(type(value).__name__ for value in (kind, code, detail))
        raise BadAnswer("no_outcome", f"an outcome of {types}")
    if NOT_STORABLE.search(code) or NOT_STORABLE.search(detail):
        outcome = replace(outcome, code=storable(code), detail=storable(detail))
    if outcome.result is not None:
        _check_result(outcome.result)
    return outcome


def _check_result(result: Any) -> None:
    if not isinstance(result, dict):
        raise BadAnswer("unserialisable_result", f"a result of {type(result).__name__}")
    try:
        text = orjson.dumps(result)
    except TypeError as error:
        raise BadAnswer("unserialisable_result", text_of_error(error)) from error
    if len(text) > MAX_RESULT_BYTES:
        raise BadAnswer("oversized_result", f"{len(text)} bytes, at most {MAX_RESULT_BYTES}")
    # orjson makes null of NaN, and PostgreSQL's jsonb has no NUL; both show in the text.
    if b"\\u0000" in text and "\x00" in _strings(orjson.loads(text)):
        raise BadAnswer("unserialisable_result", "a string with a NUL")
    if b"null" in text and not _finite(result):
        raise BadAnswer("unserialisable_result", "a number that is not finite")


def _strings(value: Any) -> str:
    """All strings in a JSON value, keys too, in one."""
    if isinstance(value, dict):
        return "".join(value) + "".join(map(_strings, value.values()))
    if isinstance(value, list):
        return "".join(map(_strings, value))
    return value if isinstance(value, str) else ""


def _finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
