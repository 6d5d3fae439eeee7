"""How far the read model is behind, told three ways."""

import pytest
from django.db import transaction
from django.test import Client

from apps.common.databases import execute, fetch_all
from apps.common.ids import new_id
from apps.customers.models import User
from apps.messaging.brokers.base import BrokerDown, GroupState
from apps.messaging.consuming.delivering import Verdict, deliver
from apps.messaging.outbox import Event, append
from apps.messaging.relay.queue import ENVELOPE
from apps.orders.event_contracts import ORDER_CONFIRMED
from apps.reporting.consumers import REPORTING
from apps.reporting.facade import lag
from apps.reporting.jobs import heartbeat_send
from tests.integration.reporting.told import AnOrder, apply, gbp

pytestmark = pytest.mark.django_db(databases="__all__")


class Holds:
    """A broker with so many messages for the group; None: it does not answer."""

    waiting: int | None = 0

    def state(self, group: str) -> GroupState:
        assert group == REPORTING.name
        if self.waiting is None:
            raise BrokerDown("away")
        return GroupState(waiting=self.waiting, pending=1 if self.waiting else 0, consumers=1)

    def close(self) -> None:
        pass


@pytest.fixture
def broker(monkeypatch) -> Holds:
    broker = Holds()
    monkeypatch.setattr("apps.messaging.brokers.choose.broker", lambda: broker)
    return broker


def tell(seconds_ago: int) -> None:
    """An order's event that nobody has published yet."""
    order = AnOrder(new_id(), [(new_id(), "1.00", 1)])
    payload = ORDER_CONFIRMED.payload(order.order_id, new_id(), gbp("1"), order.placed_at)
    with transaction.atomic(using="orders"):
        append("orders", [Event(ORDER_CONFIRMED, order.order_id, 2, payload)])
    execute(
        "orders",
        "UPDATE messaging_outbox SET created_at = now() - make_interval(secs => %s)"
        " WHERE aggregate = %s",
        [seconds_ago, f"order:{order.order_id}"],
    )


def test_nothing_behind(broker):
    now = lag()
    assert (now.behind, now.oldest_seconds, now.heartbeat_seconds, now.applied) == (0, 0, None, 0)


def test_what_waits_in_outboxes_and_in_the_broker_is_behind(broker):
    tell(40)
    tell(90)
    now = lag()
    assert now.behind == 2
    assert 90 <= now.oldest_seconds < 150

    apply([AnOrder(new_id(), [(new_id(), "1.00", 1)]).placed()])
    broker.waiting = 3
    now = lag()
    assert (now.behind, now.applied) == (6, 1)
    [(age,)] = fetch_all(
        "reporting", "SELECT extract(epoch FROM now() - last_event_at) FROM reporting_projection"
    )
    assert now.oldest_seconds >= age  # no older than the last one that was applied


def test_a_broker_that_does_not_answer_is_no_zero(broker):
    broker.waiting = None
    assert (lag().behind, lag().oldest_seconds) == (None, None)


def test_a_heartbeat_shows_the_way_open_while_nothing_happens(broker):
    assert heartbeat_send()
    assert lag().behind == 1
    bodies = fetch_all("reporting", f"SELECT {ENVELOPE} FROM messaging_outbox")
    assert deliver(REPORTING, [bodies[0][0].encode()]) == [Verdict.APPLIED]

    assert 0 <= lag().heartbeat_seconds < 60
    assert not heartbeat_send()  # something was applied just now
    execute("reporting", "UPDATE reporting_projection SET applied_at = now() - interval '1 hour'")
    assert heartbeat_send()


def test_staff_see_it(broker):
    broker.waiting = None
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", name="Root"))
    content = client.get("/admin/reporting/projection/").content.decode()
    assert '<span class="desk-bad">unknown</span>' in content
    assert "Heartbeat when idle" in content
