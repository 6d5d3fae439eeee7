"""Consumers die with events in their hands; whoever comes next applies each once."""

import os
import signal
import threading
from collections.abc import Sequence

import orjson
import pytest
from django.db import connections

from apps.common.databases import execute, fetch_all
from apps.eventlog.archiving import GROUP as ARCHIVE
from apps.messaging.brokers.base import Outgoing
from apps.messaging.brokers.choose import bindings, broker
from apps.messaging.consuming import signs
from apps.messaging.consuming.consumer import Consumer
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup
from tests.crash.failpoints.forks import forked
from tests.integration.messaging.consuming.conftest import attempts, entered, id_of, letters, told
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=["reporting"])


def publish(bodies: Sequence[bytes]) -> None:
    carrier = broker()
    carrier.declare(bindings())
    carrier.publish([Outgoing(_topic(body), "tale:1", str(id_of(body)), body) for body in bodies])
    carrier.close()


def _topic(body: bytes) -> str:
    return orjson.loads(body)["topic"]


def consume(group: ConsumerGroup, until) -> None:
    """In this process, until ``until()``."""
    Consumer(group, broker, stopping=until).run()


def logged() -> list:
    return [
        row[0] for row in fetch_all("reporting", "SELECT event_id FROM eventlog_event ORDER BY 1")
    ]


@pytest.fixture(autouse=True)
def _soon(settings):
    """Who died is followed at once."""
    settings.EVENTS_CLAIM_AFTER_SECONDS, settings.EVENTS_AGAIN_AFTER_SECONDS = 0.3, 0.1


@pytest.fixture
def group(monkeypatch):
    """Handles tales, but for what a test has it do."""
    one = ConsumerGroup("tellers", "reporting", ("tale.*",), _handle, raw=True, max_attempts=2)
    monkeypatch.setattr("apps.messaging.groups._groups", {ARCHIVE.name: ARCHIVE, one.name: one})
    return one


def _handle(events: Sequence[Received]) -> None:
    if any(b"killer" in bytes(event.payload) for event in events):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("point", ["consume.apply.after_commit", "consume.before_ack"])
def test_killed_between_commit_and_acknowledgement_it_has_no_effect_twice(
    own_streams, group, point
):
    bodies = [told(f"{number}") for number in range(20)]
    publish(bodies)
    code = forked(lambda: consume(ARCHIVE, lambda: False), failpoint=f"{point}:1:kill")
    assert code == -signal.SIGKILL
    once = logged()
    assert len(once) > 0
    carrier = broker()
    carrier.declare(bindings())
    consume(ARCHIVE, lambda: not _left(carrier, ARCHIVE))
    assert logged() == sorted(id_of(body) for body in bodies)
    assert entered(ARCHIVE.name) == {id_of(body) for body in bodies}


def test_an_event_that_kills_its_consumer_ends_as_a_dead_letter_and_no_other(own_streams, group):
    """Every prefetched message comes again with it; none but the killer is to blame."""
    bodies = [told(f"{number}") for number in range(10)]
    killer = told("killer")
    publish([*bodies[:5], killer, *bodies[5:]])
    carrier = broker()
    carrier.declare(bindings())
    codes = []
    while not codes or codes[-1]:
        codes.append(forked(lambda: consume(group, lambda: not _left(carrier, group))))
        execute("reporting", "UPDATE messaging_deliveryattempt SET next_attempt_at = now()")
        assert len(codes) < 8
    assert codes == [-signal.SIGKILL] * (len(codes) - 1) + [0]
    assert [(reason, body) for reason, _, body in letters(group.name)] == [("failed", killer)]
    assert entered(group.name) == {id_of(body) for body in bodies}
    assert attempts(group.name) == {}


def test_two_consumers_of_a_group_share_its_events_and_apply_each_once(own_streams, group):
    handled: dict[str, list] = {}

    def keep(events: Sequence[Received]) -> None:
        name = threading.current_thread().name
        handled.setdefault(name, []).extend(event.event_id for event in events)

    object.__setattr__(group, "handle", keep)
    object.__setattr__(group, "batch", 10)
    bodies = [told(f"{number}") for number in range(400)]
    both, stop = threading.Barrier(3), threading.Event()

    def work() -> None:
        both.wait(10)
        consume(group, stop.is_set)
        connections["reporting"].close()

    threads = [threading.Thread(target=work, name=name) for name in ("one", "two")]
    publish([])
    for thread in threads:
        thread.start()
    both.wait(10)
    eventually(lambda: len([one for one in signs.alive() if one.group == group.name]) >= 2)
    publish(bodies)
    eventually(lambda: sum(map(len, handled.values())) >= 400)
    stop.set()
    for thread in threads:
        thread.join(10)
    assert sorted(handled) == ["one", "two"]
    assert sorted(handled["one"] + handled["two"]) == sorted(id_of(body) for body in bodies)


def test_a_consumer_whose_sessions_end_goes_on_with_new_ones(own_streams, group):
    bodies = [told(f"{number}") for number in range(3)]
    stop, ended = threading.Event(), []

    def end_session(events: Sequence[Received]) -> None:
        if not ended:
            ended.append(len(events))
            execute("reporting", "SELECT pg_terminate_backend(pg_backend_pid())")

    object.__setattr__(group, "handle", end_session)

    def work() -> None:
        consume(group, stop.is_set)
        connections["reporting"].close()

    publish(bodies)
    thread = threading.Thread(target=work)
    thread.start()
    eventually(lambda: entered(group.name) == {id_of(body) for body in bodies})
    stop.set()
    thread.join(10)
    assert ended
    assert (attempts(group.name), letters(group.name)) == ({}, [])


def _left(carrier, group: ConsumerGroup) -> int:
    state = carrier.state(group.name)
    return state.waiting + state.pending


def _alive(group: str) -> set[str]:
    return {one.consumer for one in signs.alive() if one.group == group}


def test_told_to_end_it_finishes_what_it_has_and_leaves_no_trace(own_streams, shop, settings):
    """Two groups, so a parent with children; it is asked to end while both live."""
    bodies = [told(f"{number}", topic="order.placed") for number in range(50)]
    publish(bodies)
    process = shop.manage(
        "consume", "archive", "--consumers", "2",
        EVENTS_PREFIX=own_streams, EVENTS_CLAIM_AFTER_SECONDS="1",
    )  # fmt: skip
    eventually(lambda: len(logged()) == 50)
    eventually(lambda: len(_alive("archive")) == 2)
    names = _alive("archive")
    process.popen.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert not names & _alive("archive")
    assert logged() == sorted(id_of(body) for body in bodies)
