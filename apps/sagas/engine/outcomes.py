"""What participants answer, made fit to be kept."""

import re
from collections.abc import Sequence
from dataclasses import replace

import orjson

from apps.sagas.contracts import Outcome, StepCall

MAX_RESULT_BYTES = 16 * 1024
NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def sane(outcomes: Sequence[Outcome], calls: Sequence[StepCall]) -> list[Outcome]:
    """The outcomes, checked: one for each call, results small and serialisable."""
    outcomes = list(outcomes)
    if len(outcomes) != len(calls):
        raise RuntimeError(f"{len(outcomes)} outcomes for {len(calls)} calls")
    return [_sane_one(outcome) for outcome in outcomes]


def _sane_one(outcome: Outcome) -> Outcome:
    if NOT_STORABLE.search(outcome.code + outcome.detail):
        code, detail = storable(outcome.code), storable(outcome.detail)
        outcome = replace(outcome, code=code, detail=detail)
    if outcome.result is None:
        return outcome
    try:
        size = len(orjson.dumps(outcome.result))
    except TypeError as error:
        return Outcome.unknown("unserialisable_result", str(error))
    if size > MAX_RESULT_BYTES:
        return Outcome.unknown("oversized_result", f"{size} bytes, at most {MAX_RESULT_BYTES}")
    return outcome


def storable(text: str) -> str:
    """``text`` without what PostgreSQL's text cannot hold."""
    return NOT_STORABLE.sub("\ufffd", text)
