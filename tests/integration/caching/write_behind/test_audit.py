import pytest

from apps.caching.write_behind import (
    audit,
    dead_letters,
    discard,
    flush_now,
    pending,
    put,
    write_behind_drained,
)
from apps.caching.write_behind.connections import client
from apps.caching.write_behind.layout import base
from apps.common.databases import execute
from tests.integration.caching.write_behind.table import ALIAS, change

pytestmark = pytest.mark.django_db(databases=["catalog"])


@pytest.fixture
def buffer(table, monkeypatch):
    one = table.buffer()
    monkeypatch.setattr(audit, "all_buffers", lambda: [one])
    return one


def test_what_waits_is_drained_and_all_is_well(table, buffer):
    put(buffer, [change("k", a="1"), change("l", a="1")])
    assert write_behind_drained() == (2, {})
    assert pending(buffer, ["k", "l"]) == {}
    assert table.rows() == {"k": ("1", None), "l": ("1", None)}


def test_a_row_that_lacks_an_accepted_edit_is_found(buffer):
    put(buffer, [change("k", a="1"), change("k", a="2")])
    flush_now(buffer)
    execute(ALIAS, "UPDATE behind_thing SET counter = 1")
    assert write_behind_drained() == (1, {"k": "the row has edit 1.1, not 1.2"})


def test_a_counter_that_fell_back_is_found(buffer):
    put(buffer, [change("k", a="1"), change("k", a="2")])
    flush_now(buffer)
    client().hset(f"{base(buffer)}m", "counter", 1)
    assert write_behind_drained() == (1, {"k": "the row has edit 1.2, Redis counts to 1.1"})


def test_an_edit_that_waits_for_too_long_is_found(buffer, monkeypatch):
    monkeypatch.setattr(audit, "LATE_SECONDS", -1.0)
    put(buffer, [change("k", a="1")])
    assert write_behind_drained() == (1, {buffer.name: "an edit has waited for 0 s"})


def test_dead_letters_and_what_staff_threw_away_are_not_missed(table, buffer):
    table.refused = {"k", "l"}
    put(buffer, [change("k", a="1"), change("l", a="1")])
    execute(ALIAS, "INSERT INTO behind_thing VALUES ('k', '', '', 0, 0, false)")
    execute(ALIAS, "INSERT INTO behind_thing VALUES ('l', '', '', 0, 0, false)")
    flush_now(buffer)
    discard(buffer, [one.id for one in dead_letters(buffer) if one.key == "k"], by="staff:1")
    assert write_behind_drained() == (0, {})
