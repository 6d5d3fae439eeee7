import pytest
from django.db import OperationalError

from apps.caching.write_behind import (
    backlog,
    dead_letters,
    discard,
    flush_now,
    pending,
    put,
    redrive,
)
from tests.integration.caching.write_behind.table import change

pytestmark = pytest.mark.django_db(databases=["catalog"])


def test_a_failing_batch_is_halved_until_the_bad_one_stands_alone(table):
    buffer = table.buffer(shards=1)
    put(buffer, [change(f"k{n:02}", a="bad" if n == 5 else "good") for n in range(16)])
    assert flush_now(buffer) == 16
    assert table.rows() == {f"k{n:02}": ("good", None) for n in range(16) if n != 5}
    assert backlog(buffer).keys == 0
    [letter] = dead_letters(buffer)
    assert (letter.key, letter.fields) == ("k05", {"a": b"bad"})
    assert letter.reason.startswith("IntegrityError: ")
    assert table.batches == [16, 8, 4, 4, 2, 1, 1, 2, 8]


def test_what_the_app_rejects_is_a_dead_letter_and_the_others_are_written(table):
    buffer = table.buffer()
    table.refused = {"k1"}
    put(buffer, [change("k0", a="1"), change("k1", a="1")])
    flush_now(buffer)
    assert table.rows() == {"k0": ("1", None)}
    assert [(one.key, one.reason) for one in dead_letters(buffer)] == [("k1", "refused")]
    assert backlog(buffer).dead == 1


def test_a_rejected_one_that_has_changed_meanwhile_is_tried_again_instead(table):
    buffer = table.buffer()
    table.refused = {"k"}
    put(buffer, [change("k", a="1")])
    table.before = lambda: put(buffer, [change("k", a="2")])
    flush_now(buffer)
    assert dead_letters(buffer) == []
    assert pending(buffer, ["k"])["k"].fields == {"a": b"2"}


def test_a_redriven_letter_comes_beneath_what_is_pending_and_above_the_row(table):
    buffer = table.buffer()
    table.refused = {"k"}
    put(buffer, [change("k", a="1", b="1")])
    flush_now(buffer)
    table.refused = set()
    put(buffer, [change("k", a="2")])
    [letter] = dead_letters(buffer)
    assert redrive(buffer, [letter.id, "5-5"]) == 1
    flush_now(buffer)
    assert table.rows() == {"k": ("2", "1")}
    assert dead_letters(buffer) == []


def test_a_discarded_letter_is_gone(table):
    buffer = table.buffer()
    table.refused = {"k"}
    put(buffer, [change("k", a="1")])
    flush_now(buffer)
    [letter] = dead_letters(buffer)
    assert discard(buffer, [letter.id, letter.id]) == 1
    assert (dead_letters(buffer), backlog(buffer).dead) == ([], 0)
    assert redrive(buffer, [letter.id]) == 0


def test_a_passing_error_leaves_everything_pending(table):
    buffer = table.buffer()
    put(buffer, [change("k", a="1")])

    def away():
        raise OperationalError("the database is away")

    table.before = away
    with pytest.raises(OperationalError):
        flush_now(buffer)
    assert (backlog(buffer).keys, backlog(buffer).dead) == (1, 0)
    table.before = None
    assert flush_now(buffer) == 1  # at once: the lease was given back
