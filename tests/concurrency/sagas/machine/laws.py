"""What must hold after every step of a course of events, whatever happened in it."""

from collections import Counter
from dataclasses import dataclass

from apps.sagas.definition import Saga
from apps.sagas.engine.leases import MAX_CLAIMS
from tests.concurrency.sagas.machine.books import Books
from tests.concurrency.sagas.machine.world import BACK, GOING, World

UNDONE_BY = {"open": "close", "book": "undo_book", "take": "undo_take"}
AT_THE_BANK = {
    (),
    ("authorize",),
    ("authorize", "void"),
    ("authorize", "capture"),
}


@dataclass
class Fate:
    """The model: what befell a run from outside, hence how it may end."""

    stopped: bool = False  # asked to abort, or its deadline passed
    unknown_version: bool = False
    parked: bool = False  # by a person
    touched: bool = False  # a person did something to it
    most_claims: int = 0

    def ends(self, books: Books, world: World, shaken: int) -> set[str]:
        """The states that the run may end in, given what its participants answered."""
        trouble = world.trouble[books.row["business_key"]] + shaken
        refused = {name for name, answer in books.effects if answer == "no"}
        kept = "capture" in world.bank.moves_of(books.row["id"])
        ends = set()
        if self.unknown_version or self.parked or self.most_claims >= MAX_CLAIMS or trouble >= 3:
            ends.add("failed")
        if kept:
            return ends | {"completed"} | ({"failed"} if refused else set())
        if refused or self.stopped or trouble >= GOING.max_attempts:
            ends.add("compensated")
            if any(name.startswith("undo_") for name in refused):
                ends.add("failed")
        return ends


def of_one_run(books: Books, saga: Saga, world: World, touched: bool) -> None:
    """The laws of a single run; raises ``AssertionError``. What a person did may stand where the
    engine alone would have been by."""
    _effects(books, world)
    _position(books, saga, touched)
    if not touched:
        _log(books)
    _end(books, world, touched)


def is_done(books: Books, world: World) -> bool:
    """Whether the forward step at which the run stands had its effect."""
    moves = world.bank.moves_of(books.row["id"])
    at_the_bank = {"hold": "authorize" in moves, "charge": "capture" in moves}
    step = books.row["step"]
    return books.row["direction"] == "F" and at_the_bank.get(step, books.done(step))


def _effects(books: Books, world: World) -> None:
    done = Counter(key for key, answer in books.keys if answer == "ok")
    assert not done or max(done.values()) == 1, f"done twice: {done}"
    assert not done.keys() & books.fenced, "a forward effect after its fence"
    for name, undo in UNDONE_BY.items():
        if books.done(undo):
            assert books.effects.index((undo, "ok")) > books.effects.index((name, "ok"))
    moves = world.bank.moves_of(books.row["id"])
    assert moves in AT_THE_BANK, f"money moved {moves}"
    if "capture" in moves:
        assert books.row["direction"] == "F", "turned back past its pivot"
        assert not [name for name, _ in books.effects if name in UNDONE_BY.values()]
    if books.row["direction"] == "B" and "capture" in books.intents:
        refused = world.bank.answers.get(f"{books.row['id']}:capture") == "no"
        assert refused, "only a definite no reverses the pivot"


def _position(books: Books, saga: Saga, touched: bool) -> None:
    row, steps = books.row, books.steps
    assert saga.steps[row["position"]].name == row["step"]
    for (position, direction), (name, status, attempts) in steps.items():
        assert saga.steps[position].name == name
        assert 1 <= attempts <= (GOING if _plain(saga, position, direction) else BACK).max_attempts
        if direction == "B":
            assert row["direction"] == "B"
            assert touched or position >= row["position"]
        assert status != "skipped"
    completed = {p for (p, d), one in steps.items() if d == "F" and one[1] == "completed"}
    if row["direction"] == "F":
        upto = len(saga.steps) if row["status"] == "completed" else row["position"]
        assert completed == set(range(upto)), f"completed {completed} at {row['position']}"
    failed = [p for (p, d), one in steps.items() if d == "B" and one[1] == "failed"]
    assert row["parked_steps"] == len(failed) or (touched and row["parked_steps"] < len(failed))
    if row["status"] in ("compensated", "failed") and row["direction"] == "B":
        _all_undone(books, saga, completed)
    assert (row["direction"] == "B") >= (row["status"] in ("compensating", "compensated"))
    live_forward = row["status"] in ("pending", "in_progress", "completed")
    assert (row["direction"] == "F") >= live_forward


def _all_undone(books: Books, saga: Saga, completed: set[int]) -> None:
    if books.row["error_code"] in ("definition_changed", "no_progress", "parked_by_staff"):
        return  # parked on its way back
    for position in completed:
        if saga.steps[position].compensation is not None:
            _name, status, _ = books.steps.get((position, "B"), ("", "missing", 0))
            assert status in ("compensated", "failed"), f"{position} was not undone"


def _plain(saga: Saga, position: int, direction: str) -> bool:
    return direction == "F" and position < saga.pivot


def _log(books: Books) -> None:
    events = Counter(event for event, _ in books.log)
    assert events["compensating"] == (books.row["direction"] == "B")
    assert events["parked"] == (books.row["status"] == "failed")
    assert events["step_parked"] == books.row["parked_steps"]


def _end(books: Books, world: World, touched: bool) -> None:
    row = books.row
    if books.live:
        assert row["finished_at"] is None
        return
    assert (row["lease_token"], row["lease_until"]) == (0, None), "ended, and somebody holds it"
    assert row["finished_at"] is not None
    moves = world.bank.moves_of(row["id"])
    undone = all(books.done(name) == books.done(undo) for name, undo in UNDONE_BY.items())
    net_zero = undone and moves in ((), ("authorize", "void"))
    if row["status"] == "compensated":
        assert net_zero, f"compensated, but {books.effects} {moves}"
    elif row["status"] == "completed":
        assert moves == ("authorize", "capture")
        done = {name for name, answer in books.effects if answer == "ok"}
        recorded = set() if touched else {"hold", "charge"}  # the bank has them, see above
        assert done >= recorded | {"open", "book", "take", "tell", "finish"}
    else:
        assert row["error_code"], "parked without a reason"


def nobody_else_wrote(before: dict[str, Books], after: dict[str, Books], mine: set[str]) -> None:
    """Of the runs there were, only ``mine`` changed."""
    for key, books in before.items():
        if key not in mine:
            assert after[key].written() == books.written(), f"{key} is another's"
