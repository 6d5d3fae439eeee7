"""Best-sellers from the log are those that the consumer counted, whatever is on its way."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from apps.catalog.engagement import counting, rebuilding
from apps.catalog.engagement.names import key
from apps.catalog.engagement.rebuilding import engagement_rebuild
from apps.common.contracts import encode
from apps.common.progress import Silent
from apps.common.redis import durable
from apps.messaging.consuming.delivering import Verdict, deliver
from apps.messaging.groups import find_group
from tests.integration.catalog.engagement.orders import NOW, Sale, tell
from tests.integration.catalog.engagement.test_sales import CUP, POT, TEA, sold, together

pytestmark = pytest.mark.django_db(databases=["catalog", "reporting"])


def log(*events) -> None:
    """The archive gets the events."""
    bodies = [encode(one) for one in events]
    assert set(deliver(find_group("archive"), bodies)) == {Verdict.APPLIED}


def everything() -> tuple:
    return sold("day"), sold("week"), sold("all"), [together(one) for one in (TEA, CUP, POT)]


def lost() -> None:
    durable().unlink(*durable().keys(key("sales*")))


@pytest.fixture
def events() -> list:
    """Two orders of today, one of ten days ago; some of it came back, one was cancelled."""
    one, other = Sale({TEA: 4, CUP: 2}), Sale({CUP: 1, POT: 3})
    old, regretted = Sale({TEA: 1, POT: 1}), Sale({TEA: 50, CUP: 50})
    return [
        *(*old.sold(NOW - timedelta(days=10)), *one.sold(), *other.sold()),
        *(one.returned({TEA: 1}), *regretted.sold(), regretted.cancelled()),
    ]


def test_what_redis_lost_is_counted_anew(events):
    log(*events)
    tell(*events)
    before = everything()
    assert before[2] == {TEA: 4, POT: 4, CUP: 3}
    lost()
    assert sold() == {}
    done = engagement_rebuild(progress=Silent(), batch=2)
    assert (done.events, done.sales, everything()) == (10, 6, before)
    engagement_rebuild(progress=Silent())
    assert everything() == before


def test_what_comes_after_the_rebuild_is_counted_once(events):
    """Half of the log is still on its way to the group."""
    log(*events)
    tell(*events[:3])
    engagement_rebuild(progress=Silent())
    after = everything()
    assert after[2] == {TEA: 4, POT: 4, CUP: 3}
    tell(*events)
    assert everything() == after
    tell(*Sale({TEA: 1}).sold())
    assert sold()[TEA] == after[2][TEA] + 1


def test_notes_that_wait_while_it_rebuilds_are_counted_once(events, monkeypatch):
    log(*events[:8])
    with monkeypatch.context() as patch:
        patch.setattr(counting, "notes_count", lambda: 0)  # Redis is away, say
        tell(*events)
    log(*events[8:9])
    # The cancellation is noted, and not in the log yet.
    with pytest.raises(rebuilding.RebuildStuck):
        monkeypatch.setattr(rebuilding, "PATIENCE_SECONDS", 0.0)
        engagement_rebuild(progress=Silent())
    assert sold() == {}
    log(*events[9:])
    engagement_rebuild(progress=Silent())
    before = everything()
    assert before[2] == {TEA: 4, POT: 4, CUP: 3}
    assert counting.notes_count() == 4
    assert everything() == before


@pytest.mark.parametrize("guarded", [True, False])
def test_what_comes_late_is_known_longer_than_what_was_counted_just_now(
    events, monkeypatch, guarded
):
    if not guarded:
        monkeypatch.setattr(rebuilding, "_know", lambda *args: None)
    log(*events)
    tell(*events[:3])
    engagement_rebuild(progress=Silent())
    before = sold()
    applied = key(f"sales:{durable().get(key('sales')).decode()}:applied")
    durable().zremrangebyscore(applied, "-inf", counting.clock() + counting.REMEMBERED)  # later
    tell(*events)
    assert (sold() == before) is guarded


def test_old_counts_and_those_of_a_rebuild_that_died_are_dropped(events, monkeypatch):
    log(*events)
    tell(*events)
    durable().set(key("sales-building"), "dead")
    durable().zadd(key("sales:dead:products"), {TEA.bytes: 1})
    durable().zadd(key("sales:dead:with:").encode() + TEA.bytes, {CUP.bytes: 1})
    engagement_rebuild(progress=Silent())
    generation = durable().get(key("sales")).decode()
    roots = {name.decode(errors="replace").split(":")[3] for name in durable().keys(key("sales:*"))}
    assert roots == {generation} and not durable().exists(key("sales-building"))


def test_the_command_says_what_it_did(events, capsys, monkeypatch):
    log(*events)
    call_command("rebuild_engagement", "--json")
    said = json.loads(capsys.readouterr().out)
    assert (said["events"], said["sales"]) == (10, 6)
    tell(*Sale({TEA: 1}).sold())  # not in the log
    monkeypatch.setattr(rebuilding, "PATIENCE_SECONDS", 0.0)
    with pytest.raises(CommandError, match="2 events that were applied are not in the log"):
        call_command("rebuild_engagement")
