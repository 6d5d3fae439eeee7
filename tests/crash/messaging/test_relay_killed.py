"""A relay dies, or is told to end, with a batch in hand."""

import signal

import orjson
import psutil
import pytest
from django.conf import settings as django_settings

from apps.common.redis import durable
from apps.messaging.models import Outbox
from apps.messaging.relay.process import empty
from tests.crash.failpoints.forks import forked
from tests.integration.messaging.events import note, outbox
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def published() -> list[str]:
    """The ids of the events on the stream, in the order they came."""
    entries = durable().xrange(f"{django_settings.EVENTS_PREFIX}:events:test")
    return [orjson.loads(fields[b"b"])["event_id"] for _, fields in entries]


def ids() -> list[str]:
    return [str(row.event_id) for row in Outbox.objects.using("orders").order_by("id")]


def relay_all() -> None:
    eventually(lambda: empty() or all(done for _, done, _ in outbox().values()), seconds=20)


def test_killed_between_publishing_and_marking_it_leaves_a_duplicate(own_streams, settings):
    settings.EVENT_RELAY_LEASE_SECONDS = 0.3
    note("a", 1)
    note("a", 2)
    assert forked(relay_all, failpoint="relay.after_publish:1:kill") == -signal.SIGKILL
    assert published() == ids()
    assert outbox() == {"a 1": (0, False, False), "a 2": (0, False, False)}
    assert forked(relay_all) == 0
    assert published() == ids() * 2
    assert set(outbox().values()) == {(0, True, False)}


def test_killed_before_publishing_it_loses_nothing(own_streams, settings):
    settings.EVENT_RELAY_LEASE_SECONDS = 0.3
    note("a")
    for side in ("before", "after"):
        case = f"relay.claim.{side}_commit:3:kill"  # the third database: orders
        assert forked(relay_all, failpoint=case) == -signal.SIGKILL
        assert published() == []
    assert forked(relay_all) == 0
    assert published() == ids()


def test_told_to_end_it_finishes_its_batch_and_leaves(own_streams, shop):
    """The whole command, as the shop runs it; it is told so while the broker has the batch."""
    note("a", 1)
    relay = shop.manage(
        "relay",
        EVENTS_PREFIX=own_streams,
        FAILPOINTS_ENABLED="1",
        FAILPOINT="relay.after_publish:1:sleep",
        FAILPOINT_SLEEP_SECONDS="1",
    )
    eventually(lambda: relay.popen.poll() is not None or published())
    assert psutil.Process(relay.popen.pid).nice() == django_settings.EVENT_RELAY_NICE
    relay.popen.send_signal(signal.SIGTERM)
    assert relay.wait(20) == 0, relay.output()
    assert (published(), outbox()) == (ids(), {"a 1": (0, True, False)})
    assert "relay.stopped" in relay.output()
    note("a", 2)
    assert empty() == 1  # at once: no lease is left
