"""One relay empties an outbox at a time; one that stood still does no harm."""

import threading
import time
from uuid import uuid4

import pytest

from apps.messaging.models import DeadLetter, Outbox, RelayLease
from apps.messaging.relay import lease, queue
from apps.messaging.relay.lane import Lane
from apps.messaging.relay.process import empty
from apps.messaging.relay.queue import Refusal
from tests.integration.messaging.events import note, outbox
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=["orders"])


@pytest.fixture
def other(broker):
    one = Lane("orders", broker, threading.Event())
    yield one
    one.close()


def test_another_relay_waits_while_the_first_lives(lane, other):
    note("a")
    assert lane.step() == 1
    note("a", 2)
    assert other.step() is None
    assert outbox()["a 2"] == (0, False, False)


def test_it_takes_over_at_once_when_the_first_leaves(lane, other, broker):
    assert lane.step() == 0
    note("a")
    lane.close()
    assert other.step() == 1
    assert RelayLease.objects.using("orders").get().token == other._token


def test_it_takes_over_when_the_lease_of_a_dead_one_ends(lane, other, settings):
    settings.EVENT_RELAY_LEASE_SECONDS = 0.3
    lane.step()
    note("a")
    began = time.monotonic()
    assert eventually(lambda: other.step(), seconds=5, every=0.02) == 1
    assert time.monotonic() - began > 0.2


def test_a_relay_that_is_at_work_keeps_its_lease(lane, other, settings):
    settings.EVENT_RELAY_LEASE_SECONDS = 0.6
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        assert lane.step() == 0
        assert other.step() is None
        time.sleep(0.02)


def test_one_whose_lease_was_taken_claims_nothing(lane, other):
    lane.step()
    lease.leave("orders", lane._token)
    other.step()
    note("a")
    assert lane.step() == 0  # it does not know yet, the database does
    assert other.step() == 1


def test_what_was_claimed_before_standing_still_is_not_published_after(lane, broker, monkeypatch):
    note("a")
    lane.step()
    note("a", 2)
    lane._held_until = time.monotonic()
    lane.step()
    assert broker.got == ["a 1"]


def test_a_late_mark_changes_nothing_that_another_relay_did(lane, other, settings):
    settings.EVENT_PUBLISH_ATTEMPTS = 1
    for version in (1, 2, 3):
        note("a", version)
    token = uuid4()
    assert lease.take("orders", token, 10)
    stale = queue.claim("orders", token, 10, 10_000)
    lease.leave("orders", token)
    assert other.step() == 3
    first = list(outbox_times())
    queue.mark("orders", stale[:1], [Refusal(one, "refused", "late", True) for one in stale[1:]])
    assert (list(outbox_times()), set(outbox().values())) == (first, {(0, True, False)})
    assert not DeadLetter.objects.using("orders").exists()


def outbox_times():
    return Outbox.objects.using("orders").order_by("id").values_list("published_at", flat=True)


def test_an_attempt_is_counted_once_by_two_relays(lane):
    note("a")
    token = uuid4()
    assert lease.take("orders", token, 10)
    claimed = queue.claim("orders", token, 10, 10_000)
    for _ in range(2):
        queue.mark("orders", [], [Refusal(claimed[0], "refused", "no", False)])
    assert outbox() == {"a 1": (1, False, False)}
    lease.leave("orders", token)


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_every_outbox_is_emptied_on_demand(broker):
    for alias in ("default", "catalog", "orders", "reporting"):
        note(alias, alias=alias)
    assert empty(broker) == 4
    assert sorted(broker.got) == ["catalog 1", "default 1", "orders 1", "reporting 1"]
