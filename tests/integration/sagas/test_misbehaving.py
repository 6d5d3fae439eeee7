"""Handlers that do what they must not: it costs their own run, says why, and loses nothing."""

import signal
from concurrent.futures import Future
from dataclasses import replace

import pytest

from apps.common.databases import execute, fetch_all
from apps.sagas import definition
from apps.sagas.contracts import Outcome, OutcomeKind
from apps.sagas.definition import Participant, Step
from apps.sagas.engine.driver import drive_batch
from apps.sagas.models import SagaLogEntry, SagaRun, SagaStep

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])
KEYS = ("a", "b", "bad", "c", "d")
OTHERS = {"a", "b", "c", "d"}


class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("not even this")


class Unprintable(Exception):
    def __str__(self):
        return None


def deep(levels: int) -> dict:
    value: dict = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def raising(error: BaseException):
    def answer(call):
        raise error

    return answer


def saying(value):
    return lambda call: value


# By business key: what the handler does, and the code and words that its attempts are given.
ONE = {
    "an exception": (raising(ValueError("a bug")), "raised", "ValueError: a bug"),
    "an exception without words": (raising(Speechless()), "raised", "Speechless (its text: Runt"),
    "an exception whose words are none": (raising(Unprintable()), "raised", "Unprintable (its"),
    "an exception with a NUL": (raising(ValueError("a\x00b")), "raised", "a\ufffdb"),
    "an exit": (raising(SystemExit(1)), "raised", "SystemExit: 1"),
    "an exit with words": (raising(SystemExit("bye")), "raised", "SystemExit: bye"),
    "a bare BaseException": (raising(BaseException("base")), "raised", "BaseException: base"),
    "a generator's end": (raising(GeneratorExit()), "raised", "GeneratorExit"),
    "an endless recursion": (raising(RecursionError("deep")), "raised", "RecursionError: deep"),
    "nothing": (saying(None), "no_outcome", "answered NoneType"),
    "a string": (saying("success"), "no_outcome", "answered str"),
    "the class": (saying(Outcome), "no_outcome", "answered type"),
    "a kind that is none": (saying(Outcome("success")), "no_outcome", "an outcome of str"),
    "a code that is none": (
        saying(Outcome(OutcomeKind.RETRYABLE, None, 7)),
        "no_outcome",
        "OutcomeKind, int, str",
    ),
    "a result that is a list": (
        saying(Outcome(OutcomeKind.SUCCESS, [1])),
        "unserialisable_result",
        "a result of list",
    ),
    "a result with a set": (saying(Outcome.success(a={1})), "unserialisable_result", "set"),
    "a key that is no string": (
        saying(Outcome(OutcomeKind.SUCCESS, {1: 2})),
        "unserialisable_result",
        "Dict key must be str",
    ),
    "a NUL": (saying(Outcome.success(a=["x\x00"])), "unserialisable_result", "NUL"),
    "a NUL in a key": (saying(Outcome.success(**{"x\x00": 1})), "unserialisable_result", "NUL"),
    "a surrogate": (saying(Outcome.success(a="\ud800")), "unserialisable_result", "surrogates"),
    "not a number": (saying(Outcome.success(a={"b": [float("nan")]})), "unserialisable_result", ""),
    "infinity": (saying(Outcome.success(a=float("inf"))), "unserialisable_result", "not finite"),
    "a huge number": (saying(Outcome.success(a=2**70)), "unserialisable_result", "64-bit"),
    "a deep result": (saying(Outcome.success(a=deep(300))), "unserialisable_result", "Recursion"),
    "a big result": (saying(Outcome.success(a="x" * 17_000)), "oversized_result", "at most 16384"),
}


def ends() -> dict[str, str]:
    return dict(SagaRun.objects.values_list("business_key", "status"))


def only_the_culprit_suffered(code: str, detail: str) -> None:
    """The others went through at their first attempt; the culprit spent its three, with words."""
    assert ends() == {"bad": "compensated"} | dict.fromkeys(OTHERS, "completed")
    run = SagaRun.objects.get(business_key="bad")
    assert run.error_code == code
    assert detail in run.error_detail
    attempts = SagaLogEntry.objects.filter(event="unknown")
    assert [(one.run_id, one.attempt, one.code) for one in attempts.order_by("id")] == [
        (run.pk, attempt, code) for attempt in (1, 2, 3)
    ]
    others = SagaStep.objects.exclude(run=run)
    assert set(others.values_list("status", "attempts")) == {("completed", 1)}
    assert others.count() == 12


@pytest.mark.parametrize("step", ["second", "third"], ids=["remote", "local"])
def test_bad_answers_cost_their_own_runs_only_all_in_one_batch(start, drive, recorder, step):
    def execute(calls):
        bad = [ONE[call.business_key][0] for call in calls if call.business_key in ONE]
        answers = recorder.answer(step, [call for call in calls if call.business_key not in ONE])
        return [one(None) for one in bad] + answers

    recorder.instead[step] = execute
    start(*ONE, *OTHERS)  # ids follow each other, so the bad ones come first
    drive()
    assert ends() == dict.fromkeys(ONE, "compensated") | dict.fromkeys(OTHERS, "completed")
    for run in SagaRun.objects.filter(business_key__in=ONE):
        _, code, detail = ONE[run.business_key]
        assert run.error_code == code, run
        assert detail in run.error_detail, run
        attempts = SagaLogEntry.objects.filter(event="unknown", run=run).order_by("id")
        assert [(one.attempt, one.code) for one in attempts] == [(1, code), (2, code), (3, code)]
    others = SagaStep.objects.filter(run__business_key__in=OTHERS)
    assert set(others.values_list("status", "attempts")) == {("completed", 1)}


# What the handler makes of a batch's outcomes when "bad" is among its calls.
WHOLE = {
    "too few": (lambda outcomes: outcomes[:-1], "wrong_outcomes", "0 outcomes for 1 calls"),
    "too many": (lambda outcomes: outcomes * 2, "wrong_outcomes", "more than 1 outcomes"),
    "none": (lambda outcomes: None, "no_outcomes", "answered NoneType"),
    "a number": (lambda outcomes: 5, "no_outcomes", "answered int"),
}


@pytest.mark.parametrize("step", ["second", "third"], ids=["remote", "local"])
@pytest.mark.parametrize("what", WHOLE)
def test_outcomes_that_cannot_be_told_apart_are_narrowed_down(start, drive, recorder, step, what):
    spoil, code, detail = WHOLE[what]

    def execute(calls):
        outcomes = recorder.answer(step, calls)
        return spoil(outcomes) if any(one.business_key == "bad" for one in calls) else outcomes

    recorder.instead[step] = execute
    start(*KEYS)
    drive()
    only_the_culprit_suffered(code, detail)


def test_answers_without_end_are_not_waited_for(start, drive, recorder):
    def execute(calls):
        while True:
            yield Outcome.success()

    recorder.instead["second"] = execute
    start("bad")
    drive()
    assert ends() == {"bad": "compensated"}


@pytest.mark.parametrize("step", ["second", "third"], ids=["remote", "local"])
def test_a_generator_is_as_good_as_a_list(start, drive, recorder, step):
    def execute(calls):
        yield from recorder.answer(step, calls)

    recorder.instead[step] = execute
    start(*KEYS)
    drive()
    assert set(ends().values()) == {"completed"}


def test_what_a_local_handler_did_is_undone_with_its_bad_answer(start, drive, recorder):
    """Else a repeat would do it twice."""
    execute("orders", "CREATE TABLE IF NOT EXISTS misbehaving (key text)")
    try:

        def work(calls):
            for call in calls:
                execute("orders", "INSERT INTO misbehaving VALUES (%s)", [call.business_key])
            bad = Outcome.success(a={1})
            return [bad if call.business_key == "bad" else Outcome.success() for call in calls]

        recorder.instead["third"] = work
        start(*KEYS)
        drive()
        rows = fetch_all("orders", "SELECT key FROM misbehaving ORDER BY key")
    finally:
        execute("orders", "DROP TABLE misbehaving")
    assert rows == [("a",), ("b",), ("c",), ("d",)]
    only_the_culprit_suffered("unserialisable_result", "set")


def test_words_are_kept_as_far_as_they_can_be(start, drive, recorder):
    recorder.tell("second", "bad", Outcome.rejected("c" * 99, "\x00" + "d" * 5000))
    [run] = start("bad")
    drive()
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("compensated", "c" * 60)
    assert run.error_detail == "\ufffd" + "d" * 1999


def test_a_result_that_only_looks_odd_is_kept(start, drive, recorder):
    odd = {"text": "\\u0000 null", "none": None, "list": [1, "null", {"x": None}], "pair": (1, 2)}
    recorder.tell("second", "good", Outcome(OutcomeKind.SUCCESS, odd))
    start("good")
    drive()
    assert ends() == {"good": "completed"}
    assert SagaStep.objects.get(name="second").result == odd | {"pair": [1, 2]}


@pytest.mark.parametrize("end", [KeyboardInterrupt(), SystemExit(-(256 - signal.SIGTERM))])
def test_the_end_of_the_process_is_not_taken_for_the_handlers_doing(start, drive, recorder, end):
    recorder.tell("second", "k", end)
    recorder.instead["second"] = lambda calls: raising(end)(calls)
    [run] = start("k")
    with pytest.raises(type(end)):
        drive_batch()
    run.refresh_from_db()
    assert (run.status, run.step, run.attempt) == ("in_progress", "second", 1)
    recorder.instead.clear()
    recorder.answers.clear()
    SagaRun.objects.update(next_run_at="2020-01-01T00:00:00Z")  # its lease is over
    drive()
    run.refresh_from_db()
    assert run.status == "completed"


def landed(value) -> Future:
    future: Future = Future()
    future.set_result(value)
    return future


def failed(error: BaseException) -> Future:
    future: Future = Future()
    future.set_exception(error)
    return future


def cancelled() -> Future:
    future: Future = Future()
    future.cancel()
    return future


ONE_CALL = {
    "raises": (lambda: failed(ValueError("a bug")), "raised", "ValueError: a bug"),
    "exits": (lambda: failed(SystemExit(3)), "raised", "SystemExit: 3"),
    "says nothing": (lambda: landed(None), "no_outcome", "answered NoneType"),
    "is cancelled": (cancelled, "raised", "cancelled"),
    "answers at once, badly": (lambda: "yes", "no_outcome", "answered str"),
    "has a NUL": (lambda: landed(Outcome.success(a="\x00")), "unserialisable_result", "NUL"),
}


@pytest.fixture
def submitting(saga, recorder):
    """Has the second step answer by futures: ``submitting(submit)``."""

    def use(submit) -> None:
        step = replace(saga.steps[1], forward=Participant(submit=submit))
        definition.register(replace(saga, steps=(saga.steps[0], step, saga.steps[2])))

    return use


@pytest.mark.parametrize("what", ONE_CALL)
def test_a_call_outside_that_goes_wrong_costs_its_own_run_only(
    start, drive, recorder, submitting, what
):
    make, code, detail = ONE_CALL[what]
    submitting(
        lambda calls: [
            make() if call.business_key == "bad" else landed(Outcome.success()) for call in calls
        ]
    )
    start(*KEYS)
    drive()
    only_the_culprit_suffered(code, detail)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda futures: futures[:-1], "wrong_outcomes"),
        (lambda futures: [futures[0]] * 2 if len(futures) > 1 else None, "no_outcomes"),
        (lambda futures: raising(SystemExit(1))(None), "raised"),
    ],
    ids=["too few", "one for two", "exits"],
)
def test_calls_outside_that_cannot_be_told_apart_are_narrowed_down(
    start, drive, recorder, submitting, spoil, code
):
    def submit(calls):
        futures = [landed(Outcome.success()) for _ in calls]
        return spoil(futures) if any(one.business_key == "bad" for one in calls) else futures

    submitting(submit)
    start("a", "bad")
    drive()
    assert ends() == {"a": "completed", "bad": "compensated"}
    assert SagaRun.objects.get(business_key="bad").error_code == code


def test_a_step_is_a_step():
    with pytest.raises(ValueError, match="either execute or submit"):
        Step("x", Participant())
