"""Every event takes effect once, or ends as a dead letter; none holds up another."""

import threading
import time

import pytest
from django.db import OperationalError, connections

from apps.common.databases import execute
from apps.messaging.consuming.delivering import Delivery, Verdict, deliver, redeliver
from tests.integration.messaging.consuming.conftest import (
    ALIAS,
    attempts,
    entered,
    id_of,
    letters,
    make_due,
    told,
)

pytestmark = pytest.mark.django_db(databases=[ALIAS])
APPLIED, DUPLICATE, DEAD, AGAIN, NOT_MEANT = (
    Verdict.APPLIED,
    Verdict.DUPLICATE,
    Verdict.DEAD,
    Verdict.AGAIN,
    Verdict.NOT_MEANT,
)


def fail() -> None:
    raise ValueError("a bug")


def test_a_batch_is_handled_at_once_and_entered_with_its_effect(listener):
    bodies = [told("a"), told("b"), told("c")]
    assert deliver(listener.group(), bodies) == [APPLIED] * 3
    assert listener.calls == [["a", "b", "c"]]
    assert listener.hinted == ["a", "b", "c"]
    assert entered() == {id_of(body) for body in bodies}


def test_a_repeat_has_no_effect_in_the_same_batch_or_later(listener):
    first, second = told("a"), told("b")
    assert deliver(listener.group(), [first, first]) == [APPLIED, DUPLICATE]
    assert deliver(listener.group(), [second, first]) == [APPLIED, DUPLICATE]
    assert listener.calls == [["a"], ["b"]]


def test_two_groups_get_the_same_event(listener):
    body = told("a")
    assert deliver(listener.group(), [body]) == [APPLIED]
    assert deliver(listener.group(name="other"), [body]) == [APPLIED]


def test_what_a_group_does_not_want_leaves_no_trace(listener):
    group = listener.group(headers=(("style", "sung"),))
    sung = told("a", headers={"style": "sung"})
    verdicts = deliver(group, [told("b"), sung, told("c", topic="order.placed")])
    assert verdicts == [NOT_MEANT, APPLIED, NOT_MEANT]
    assert entered() == {id_of(sung)}


def test_a_raw_group_gets_every_schema_as_it_came(listener):
    got = []
    group = listener.group(raw=True)
    object.__setattr__(group, "handle", got.extend)
    assert deliver(group, [told("a", schema_version=9)]) == [APPLIED]
    assert bytes(got[0].payload) == b'{"text":"a"}'


@pytest.mark.parametrize(
    ("body", "reason", "topic"),
    [
        (b"{not json", "unparseable", ""),
        (b"\xff\xfe", "unparseable", ""),
        (b"[" * 100_000, "unparseable", ""),
        (b'{"topic": "tale.told"}', "unparseable", "tale.told"),
        (told("x", event_id="none"), "unparseable", ""),
        (told("x", schema_version=2), "unknown_schema", "tale.told"),
        (told("x", payload={"text": 5}), "invalid_payload", "tale.told"),
        (told("x", payload={}), "invalid_payload", "tale.told"),
        (told("x" * 5_000_000), "too_large", "tale.told"),
        (told("x", schema_version=2, headers={"a": "\0"}), "unknown_schema", "tale.told"),
    ],
)
def test_what_no_handler_can_be_given_is_a_dead_letter_at_once(listener, body, reason, topic):
    neighbours = [told("a"), told("b")]
    verdicts = deliver(listener.group(), [neighbours[0], body, neighbours[1]])
    assert verdicts == [APPLIED, DEAD, APPLIED]
    assert letters() == [(reason, topic, body)]
    assert listener.calls == [["a", "b"]]
    assert entered() == {id_of(one) for one in neighbours}


def test_an_error_is_narrowed_down_to_its_event_and_the_others_go_on(listener):
    listener.acts["bad"] = fail
    bodies = [told(text) for text in ("a", "b", "bad", "c", "d")]
    verdicts = deliver(listener.group(), bodies)
    assert verdicts == [APPLIED, APPLIED, AGAIN, APPLIED, APPLIED]
    assert attempts() == {id_of(bodies[2]): 1}
    assert listener.hinted == ["a", "b", "c", "d"]


def test_a_failing_event_waits_is_tried_alone_and_dies_in_the_end(listener):
    listener.acts["bad"] = fail
    group, bad = listener.group(max_attempts=3), told("bad")
    assert deliver(group, [bad]) == [AGAIN]
    execute(ALIAS, "UPDATE messaging_deliveryattempt SET next_attempt_at = now() + '1 hour'")
    assert deliver(group, [bad, told("a")]) == [AGAIN, APPLIED]
    assert listener.calls == [["bad"], ["a"]], "it was tried before its time"
    make_due()
    assert deliver(group, [bad, told("b")]) == [AGAIN, APPLIED]
    make_due()
    assert deliver(group, [bad]) == [DEAD]
    [(reason, topic, body)] = letters()
    assert (reason, topic, body) == ("failed", "tale.told", bad)
    assert (attempts(), entered() & {id_of(bad)}) == ({}, set())


def test_a_failing_event_that_recovers_is_applied_and_forgotten(listener):
    listener.acts["bad"] = fail
    bad = told("bad")
    deliver(listener.group(), [bad])
    make_due()
    del listener.acts["bad"]
    assert deliver(listener.group(), [bad]) == [APPLIED]
    assert (attempts(), letters()) == ({}, [])


def test_another_copy_of_a_dead_letter_is_dead_without_being_tried(listener):
    listener.acts["bad"] = fail
    bad = told("bad")
    deliver(listener.group(max_attempts=1), [bad])
    listener.calls.clear()
    assert deliver(listener.group(), [bad]) == [DEAD]
    assert listener.calls == []


def test_a_redriven_letter_is_tried_once_and_either_applied_or_dead_again(listener):
    listener.acts["bad"] = fail
    group, bad, worse = listener.group(max_attempts=1), told("bad"), told("worse")
    listener.acts["worse"] = fail
    deliver(group, [bad, worse])
    del listener.acts["bad"]
    assert redeliver(group, [bad, worse]) == [APPLIED, DEAD]
    assert [body for _, _, body in letters()] == [worse]
    assert (attempts(), entered()) == ({}, {id_of(bad)})
    assert redeliver(group, [bad]) == [DUPLICATE]


def test_an_attempt_that_ended_the_process_counts(listener):
    """What a consumer that died had in its hands comes again: first together, noted; then alone."""
    group = listener.group(max_attempts=2)
    killer, other = told("killer"), told("a")

    def die() -> None:
        raise SystemExit

    listener.acts["killer"] = die
    with pytest.raises(SystemExit):
        deliver(group, [killer, other])
    assert attempts() == {}
    with pytest.raises(SystemExit):
        deliver(group, [killer, other], repeated=[0, 1])
    assert attempts() == {id_of(killer): 0, id_of(other): 0}
    with pytest.raises(SystemExit):
        deliver(group, [other, killer], repeated=[0, 1])
    assert attempts() == {id_of(killer): 1}
    assert entered() == {id_of(other)}
    with pytest.raises(SystemExit):
        deliver(group, [other, killer], repeated=[0, 1])
    assert deliver(group, [other, killer], repeated=[0, 1]) == [DUPLICATE, DEAD]
    assert [reason for reason, *_ in letters()] == ["failed"]


class Passing(OperationalError):
    def __init__(self, sqlstate: str | None):
        super().__init__("away")
        self.__cause__ = connections[ALIAS].Database.OperationalError("away")
        self.__cause__.sqlstate = sqlstate


def raise_passing(sqlstate):
    def act():
        raise Passing(sqlstate)

    return act


def test_what_a_neighbours_transaction_or_an_absent_server_causes_spends_no_attempt(
    listener, monkeypatch
):
    monkeypatch.setattr("apps.messaging.consuming.delivering.discard_connections", lambda: None)
    for sqlstate in (None, "57P01", "40P01", "40001", "55P03"):
        listener.acts["a"] = raise_passing(sqlstate)
        delivery = Delivery(listener.group())
        assert delivery.run([told("a"), told("b")]) == [AGAIN, AGAIN]
        assert (delivery.away, attempts()) == (True, {})


def test_a_deadlock_is_repeated_at_once(listener):
    listener.acts["a"] = raise_passing("40P01")
    calls = []

    def once():
        calls.append(1)
        if len(calls) == 1:
            raise Passing("40P01")

    listener.acts["a"] = once
    assert deliver(listener.group(), [told("a")]) == [APPLIED]
    assert len(calls) == 2


def test_a_statement_that_is_the_handlers_own_fault_spends_an_attempt(listener):
    listener.acts["bad"] = lambda: execute(ALIAS, "SELECT 1 / 0")
    bad = told("bad")
    assert deliver(listener.group(), [told("a"), bad]) == [APPLIED, AGAIN]
    assert attempts() == {id_of(bad): 1}


@pytest.mark.django_db(databases=[ALIAS], transaction=True)
def test_a_handler_past_its_time_is_stopped_and_the_others_are_tried_one_by_one(listener):
    assert threading.current_thread() is threading.main_thread()
    listener.acts["slow"] = lambda: time.sleep(30)
    bodies = [told("a"), told("slow"), told("b")]
    verdicts = deliver(listener.group(seconds=0.8), bodies)
    assert verdicts == [APPLIED, AGAIN, APPLIED]
    assert attempts() == {id_of(bodies[1]): 1}
