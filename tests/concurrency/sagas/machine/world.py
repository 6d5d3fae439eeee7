"""A saga whose participants do what they are told and keep books that can be counted.

Local steps write to ``orders``, inbox steps to ``catalog``, the bank is outside of any database.
The books have no unique keys: what is done twice is seen twice.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from uuid import UUID

from django.db import transaction

from apps.common.databases import execute, fetch_all
from apps.messaging import inbox
from apps.sagas.contracts import Outcome, StepCall
from apps.sagas.definition import Participant, Saga, Step, StepKind
from apps.sagas.retry import RetryPolicy
from tests.concurrency.sagas.machine.bank import Bank

KIND = "machine"
CONSUMER = "tests.machine"
GOING = RetryPolicy(max_attempts=3, base=0.0, cap=0.0, schedule_to_close=3600)
BACK = RetryPolicy(max_attempts=4, base=0.0, cap=0.0, schedule_to_close=3600)
FENCE = {"answer": "cancelled"}
# What a participant is told to answer; without a word it says ok. "lost": done, and no answer;
# "silent": not done, and no answer; "late": as silent, but the request still lies about somewhere.
LOCAL = ("ok", "no", "busy", "raise", "silent", "wait")
INBOX = ("ok", "no", "busy", "raise", "silent", "lost")
BANK = ("ok", "no", "busy", "raise", "silent", "lost", "late")
ANSWERS = {
    "book": LOCAL,
    "undo_book": LOCAL[:-1],
    "take": INBOX,
    "undo_take": INBOX,
    "hold": BANK,
    "undo_hold": BANK,
    "charge": BANK,
    "tell": INBOX,
    "finish": LOCAL[:-1],
}
TROUBLE = ("busy", "raise", "silent", "lost", "late")
TABLES = {
    "orders": (
        "CREATE TABLE machine_book (seq bigserial, run uuid, name text, key text, answer text)",
        "CREATE TABLE machine_intent (run uuid, operation text, PRIMARY KEY (run, operation))",
    ),
    "catalog": (
        "CREATE TABLE machine_book (seq bigserial, run uuid, name text, key text, answer text)",
    ),
}


def make_tables() -> None:
    drop_tables()
    for alias, statements in TABLES.items():
        for statement in statements:
            execute(alias, statement)


def drop_tables() -> None:
    for alias in TABLES:
        execute(alias, "DROP TABLE IF EXISTS machine_book, machine_intent")


def write(alias: str, name: str, call: StepCall, answer: str) -> None:
    execute(
        alias,
        "INSERT INTO machine_book (run, name, key, answer) VALUES (%s, %s, %s, %s)",
        [call.run_id, name, call.key, answer],
    )


class World:
    """The participants, what they were told, and the trouble they made."""

    def __init__(self, point: Callable[[str], None]):
        self.point = point
        self.bank = Bank()
        self.scripts: dict[tuple[str, str], list[str]] = {}
        self.trouble: Counter[str] = Counter()
        self.late: list[tuple[str, str]] = []  # requests to the bank that will arrive some time
        self.broken: list[str] = []  # promises of the engine to its participants

    def answer(self, name: str, call: StepCall, alone: bool) -> str:
        told = self.scripts.get((call.business_key, name))
        if not told:
            return "ok"
        answer = told[0]
        if answer != "raise" or alone:  # a bug stays where it is until only its run is left
            told.pop(0)
            self.trouble[call.business_key] += answer in TROUBLE
        if answer == "raise":
            raise ValueError(f"{name} {call.business_key}")
        return answer

    # --- local: effect and checkpoint are one transaction
    def local(self, name: str, undoes: str = "") -> Participant:
        def one(call: StepCall, alone: bool) -> Outcome:
            answer = self.answer(name, call, alone)
            if answer == "no" or (answer == "ok" and _was_done("orders", undoes, call)):
                write("orders", name, call, answer)
            return outcome(answer)

        def execute(calls: Sequence[StepCall]) -> list[Outcome]:
            return [one(call, len(calls) == 1) for call in calls]

        return Participant(execute, local=True)

    # --- in another database: effect and inbox row are one transaction
    def remote(self, name: str, undoes: str = "") -> Participant:
        def execute(calls: Sequence[StepCall]) -> list[Outcome]:
            self.point("inbox.before")
            told = {call.key: self.answer(name, call, len(calls) == 1) for call in calls}
            applied = {key for key, one in told.items() if one in ("ok", "no", "lost")}
            found = self._apply(name, undoes, [one for one in calls if one.key in applied], told)
            self.point("inbox.after")
            return [
                outcome("silent" if told[one.key] == "lost" else found.get(one.key, told[one.key]))
                for one in calls
            ]

        return Participant(execute)

    def _apply(self, name, undoes, calls, told) -> dict[str, str]:
        with transaction.atomic(using="catalog"):
            admitted = inbox.admit("catalog", CONSUMER, {one.key: name for one in calls})
            new = [one for one in calls if one.key in admitted.new]
            if undoes:
                inbox.fence("catalog", CONSUMER, [one.forward_key for one in new], FENCE)
            answers = {one.key: "no" if told[one.key] == "no" else "ok" for one in new}
            for one in new:
                if answers[one.key] == "no" or _was_done("catalog", undoes, one):
                    write("catalog", name, one, answers[one.key])
            inbox.settle("catalog", CONSUMER, {key: {"answer": a} for key, a in answers.items()})
            self.point("inbox.before_commit")
        return answers | {key: one["answer"] for key, one in admitted.outcomes.items()}

    # --- outside: intent, call, record
    def external(self, name: str, operation: str) -> Participant:
        reverse = operation == "reverse"

        def prepare(calls: Sequence[StepCall]) -> None:
            for call in calls:
                execute(
                    "orders",
                    """
                    INSERT INTO machine_intent SELECT %s, %s
                    WHERE %s OR NOT EXISTS (SELECT FROM machine_intent
                                            WHERE run = %s AND operation = 'reverse')
                    ON CONFLICT DO NOTHING
                    """,
                    [call.run_id, operation, reverse, call.run_id],
                )

        def perform(calls: Sequence[StepCall]) -> list[Outcome]:
            intents = _intents([call.run_id for call in calls])
            self.point("bank.before")
            outcomes = [one(call, intents[call.run_id], len(calls) == 1) for call in calls]
            self.point("bank.after")
            return outcomes

        def one(call: StepCall, intents: set[str], alone: bool) -> Outcome:
            if not intents & {operation, "reverse"}:
                self.broken.append(f"{call.key}: {name} was called before its intent was committed")
            answer = self.answer(name, call, alone)
            if operation not in intents:
                return Outcome.rejected("cancelled")
            if answer in ("busy", "silent"):
                return outcome(answer)
            run = str(call.run_id)
            if reverse and answer != "no":  # what is unknown is resolved first, by the same key
                held = "authorize" in intents and self.bank.ask(run, "authorize") == "ok"
                if not held:
                    return outcome("ok")
            asked = "void" if reverse else operation
            if answer == "late":
                self.late.append((run, asked))
                return outcome("silent")
            refuse = answer == "no"
            known = "no" if reverse and refuse else self.bank.ask(run, asked, refuse=refuse)
            return outcome("silent" if answer == "lost" else known)

        def record(calls: Sequence[StepCall], outcomes: Sequence[Outcome]) -> None:
            for call, one in zip(calls, outcomes, strict=True):
                if one.kind.value in ("success", "rejected"):
                    write("orders", name, call, "ok" if one.kind.value == "success" else "no")

        def submit(calls: Sequence[StepCall]) -> list[Future[Outcome]]:
            return [_landed(one) for one in perform(calls)]

        if name == "hold":
            return Participant(submit=submit, prepare=prepare, record=record)
        return Participant(perform, prepare=prepare, record=record)


def outcome(answer: str) -> Outcome:
    return {
        "ok": Outcome.success(),
        "busy": Outcome.retryable("busy"),
        "silent": Outcome.unknown("silent"),
        "wait": Outcome.waiting("wait"),
    }.get(answer) or Outcome.rejected(answer)


def _landed(one: Outcome) -> Future[Outcome]:
    future: Future[Outcome] = Future()
    future.set_result(one)
    return future


def _was_done(alias: str, undoes: str, call: StepCall) -> bool:
    """Whether there is something to undo; what goes forward needs nothing."""
    return not undoes or bool(
        fetch_all(
            alias,
            "SELECT FROM machine_book WHERE key = %s AND answer = 'ok'",
            [call.forward_key],
        )
    )


def _intents(run_ids: list[UUID]) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = {one: set() for one in run_ids}
    for run, operation in fetch_all(
        "orders", "SELECT run, operation FROM machine_intent WHERE run = ANY(%s)", [run_ids]
    ):
        found[run].add(operation)
    return found


def definitions(world: World) -> dict[int, Saga]:
    """Two versions of the saga: the second took two pairs of steps the other way round."""
    book = Step("book", world.local("book"), world.local("undo_book", "book"), **_QUICK)
    take = Step("take", world.remote("take"), world.remote("undo_take", "take"), **_QUICK)
    hold = Step(
        "hold",
        world.external("hold", "authorize"),
        world.external("undo_hold", "reverse"),
        **_QUICK,
    )
    charge = Step("charge", world.external("charge", "capture"), kind=StepKind.PIVOT, **_QUICK)
    tell = Step("tell", world.remote("tell"), kind=StepKind.RETRIABLE, **_QUICK)
    finish = Step("finish", world.local("finish"), kind=StepKind.RETRIABLE, **_QUICK)
    opened = Step("open", None, world.local("close", "open"))
    orders = {
        1: (book, take, hold, charge, tell, finish),
        2: (take, book, hold, charge, finish, tell),
    }
    return {n: Saga(KIND, n, (opened, *steps)) for n, steps in orders.items()}


_QUICK = {"retry": GOING, "compensation_retry": BACK}
