"""What a broker loses is found in the books and delivered; what is done with goes."""

import pytest
from django.conf import settings
from django.db import transaction

from apps.common.databases import execute
from apps.eventlog import inboxes, outboxes, reconciling, selectors
from apps.eventlog.archiving import GROUP
from apps.eventlog.audit import events_look
from apps.messaging import groups, inbox
from apps.messaging.brokers.base import BrokerDown, GroupState
from apps.messaging.consuming.delivering import deliver
from apps.messaging.models import DeadLetter, Inbox, Outbox
from apps.messaging.outbox import Event, append
from tests.integration.messaging.consuming.conftest import (  # noqa: F401
    TOLD,
    Told,
    _told,
    attempts,
    entered,
    id_of,
    letters,
    listener,
    make_due,
    told,
)

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))
ALIAS = "reporting"
LONG_AGO = "now() - interval '1 hour'"


@pytest.fixture
def group(listener, monkeypatch):  # noqa: F811
    """The only group beside the archive, which has been there since before."""
    one = listener.group()
    monkeypatch.setattr(groups, "_groups", {GROUP.name: GROUP, one.name: one})
    reconciling.groups_begin()
    return one


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Whatever is committed had its time."""
    monkeypatch.setattr(reconciling, "LOST_AFTER", 0.0)
    monkeypatch.setattr(reconciling, "STUCK_AFTER", 0.0)


class StillBroker:
    """Has nothing to give; ``waiting`` messages stand before each group."""

    waiting = 0

    def declare(self, bindings):
        pass

    def state(self, group):
        if self.waiting is None:
            raise BrokerDown("down")
        return GroupState(self.waiting, 0, 0)

    def close(self):
        pass


@pytest.fixture
def broker(monkeypatch):
    still = StillBroker()
    monkeypatch.setattr(reconciling, "broker", lambda: still)
    return still


def logged(*texts: str) -> list[bytes]:
    bodies = [told(text) for text in texts]
    deliver(GROUP, bodies)
    return bodies


def published(count: int, *, alias: str = "orders", since: str = LONG_AGO) -> list:
    """Events that a relay published, as far as their outbox knows."""
    with transaction.atomic(using=alias):
        events = [Event(TOLD, f"{n}", 1, Told(f"{n}")) for n in range(count)]
        append(alias, events)
    execute(alias, f"UPDATE messaging_outbox SET published_at = {since}, created_at = {since}")
    return list(Outbox.objects.using(alias).order_by("id").values_list("event_id", flat=True))


class TestGroups:
    def test_what_never_reached_a_group_is_delivered_once(self, group, listener):  # noqa: F811
        bodies = logged("a", "b", "c")
        deliver(group, [bodies[1]])
        assert reconciling.group_reconcile(group) == {"applied": 2}
        assert listener.calls == [["b"], ["a", "c"]]
        assert reconciling.group_reconcile(group) == {}
        late = deliver(group, bodies)
        assert [str(one) for one in late] == ["duplicate"] * 3

    def test_it_goes_on_where_it_ended_and_does_not_come_back(self, group, monkeypatch):
        logged("a", "b", "c")
        monkeypatch.setattr(reconciling, "SIZE", 2)
        reconciling.group_reconcile(group)
        assert reconciling.progress(group).verified == selectors.last_position()
        seen = []
        monkeypatch.setattr(reconciling, "events_since", lambda *a, **k: seen.append(a) or [])
        reconciling.group_reconcile(group)
        assert seen == []

    def test_what_is_young_is_on_its_way(self, group, monkeypatch):
        monkeypatch.setattr(reconciling, "LOST_AFTER", 60.0)
        logged("a")
        assert reconciling.group_reconcile(group) == {}
        assert reconciling.progress(group).verified == reconciling.progress(group).since

    def test_a_new_group_gets_nothing_from_before_its_time(self, listener):  # noqa: F811
        logged("a")
        group = listener.group(name="newcomer")
        assert reconciling.group_reconcile(group) == {}

    def test_dead_letters_and_what_others_are_meant_by_are_left_alone(
        self,
        group,
        listener,  # noqa: F811
    ):
        [bad] = logged("bad")
        DeadLetter.objects.using(ALIAS).create(
            consumer=group.name, event_id=id_of(bad), topic="tale.told", body=bad, reason="failed"
        )
        deliver(GROUP, [told("x", topic="order.placed")])
        assert reconciling.group_reconcile(group) == {}
        assert listener.calls == []

    def test_an_event_that_failed_and_was_then_lost_is_tried_again(
        self,
        group,
        listener,  # noqa: F811
    ):
        def fail():
            raise ValueError("a bug")

        listener.acts["bad"] = fail
        logged("bad")
        assert reconciling.group_reconcile(group) == {"again": 1}
        make_due()
        listener.acts.clear()
        assert reconciling.group_reconcile(group) == {"applied": 1}
        assert attempts() == {}

    def test_a_group_that_is_behind_or_whose_broker_is_down_is_left_to_its_consumers(
        self, group, broker
    ):
        logged("a")
        for broker.waiting in (reconciling.BEHIND + 1, None):
            assert reconciling.groups_reconcile() == {}
        broker.waiting = 0
        assert reconciling.groups_reconcile() == {"applied": 1}


class TestOutboxes:
    def test_what_was_published_and_lost_comes_into_the_log(self):
        ids = published(3)
        assert outboxes.outbox_archive("orders") == 3
        assert selectors.archived(ids) == set(ids)
        assert outboxes.outbox_archive("orders") == 0

    def test_what_was_published_just_now_or_not_at_all_has_time(self):
        published(2, since="now()")
        execute(
            "orders", "UPDATE messaging_outbox SET published_at = NULL WHERE aggregate = 'tale:0'"
        )
        assert outboxes.outbox_archive("orders") == 0

    def test_only_what_stands_in_the_log_leaves_its_outbox(self, monkeypatch):
        published(3)
        monkeypatch.setattr(outboxes, "_archive", lambda alias, rows: 0)
        assert outboxes.outbox_purge("orders", hours=0.5) == 0
        monkeypatch.undo()
        assert outboxes.outbox_purge("orders", hours=2) == 0
        assert outboxes.outbox_purge("orders", hours=0.5) == 3
        assert Outbox.objects.using("orders").count() == 0

    def test_the_sweep_stops_before_what_may_still_change(self):
        published(3)
        execute(
            "orders", "UPDATE messaging_outbox SET published_at = NULL WHERE aggregate = 'tale:1'"
        )
        assert outboxes.outbox_archive("orders") == 2
        execute("orders", f"UPDATE messaging_outbox SET published_at = {LONG_AGO}")
        assert outboxes.outbox_archive("orders") == 1


class TestInboxes:
    def test_old_entries_of_event_groups_go_and_answers_of_sagas_stay(self, group):
        deliver(group, logged("a", "b"))
        with transaction.atomic(using=ALIAS):
            inbox.admit(ALIAS, "catalog.reserve", {"run:1:F": "hash"}, presumed={"ok": True})
            inbox.gather(ALIAS, group.name, {"order": {"paid": True}})
        execute(ALIAS, "UPDATE messaging_inbox SET received_at = now() - interval '20 days'")
        deliver(group, logged("c"))
        reconciling.group_reconcile(group)
        assert inboxes.inbox_purge(ALIAS, days=14) == 4
        kept = Inbox.objects.using(ALIAS).order_by("id").values_list("consumer", "message_id")
        assert [name for name, _ in kept] == [
            "catalog.reserve",
            group.name,
            GROUP.name,
            group.name,
        ]
        assert inboxes.inbox_purge(ALIAS, days=14) == 0

    def test_nothing_goes_before_the_log_was_compared_with_all_of_it(self, group):
        deliver(group, logged("a"))
        execute(ALIAS, "SET LOCAL holdfast.maintenance = 'on'")
        execute(ALIAS, "UPDATE eventlog_event SET logged_at = now() - interval '20 days'")
        execute(ALIAS, "UPDATE messaging_inbox SET received_at = now() - interval '20 days'")
        assert inboxes.inbox_purge(ALIAS, days=14) == 0
        reconciling.group_reconcile(group)
        assert inboxes.inbox_purge(ALIAS, days=14) == 2


class TestAudit:
    def test_every_event_in_the_log_and_applied_is_right(self, group):
        published(2)
        outboxes.outbox_archive("orders")
        reconciling.group_reconcile(group)
        assert missing() == {"events_archived": [], "events_applied": []}

    def test_a_lost_event_is_named(self, group):
        [lost] = published(1)
        [unheard] = logged("a")
        assert missing() == {
            "events_archived": [str(lost)],
            "events_applied": [f"listener:{id_of(unheard)}"],
        }
        assert missing(late_after=60.0)["events_applied"] == []


def missing(late_after: float = 0.0) -> dict[str, list[str]]:
    return {name: list(look.missing) for name, look in events_look(late_after=late_after).items()}


def test_a_handler_that_fails_for_ever_ends_as_a_dead_letter_by_reconciling_alone(
    group,
    listener,  # noqa: F811
):
    def fail():
        raise ValueError("a bug")

    listener.acts["bad"] = fail
    logged("bad")
    for _ in range(group.max_attempts):
        reconciling.group_reconcile(group)
        make_due()
    assert [reason for reason, *_ in letters()] == ["failed"]
    assert entered() == set()
