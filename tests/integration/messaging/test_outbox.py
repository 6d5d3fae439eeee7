"""Events leave with the transaction that caused them."""

from dataclasses import dataclass

import pytest
from django.db import transaction

from apps.messaging.contracts import EventContract
from apps.messaging.models import Outbox
from apps.messaging.outbox import Event, append

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@dataclass(frozen=True, slots=True)
class Count:
    n: int


PLACED = EventContract("order.placed", 1, Count, "One was placed.")
CONFIRMED = EventContract("order.confirmed", 2, Count, "One was confirmed.")
EVENTS = [Event(PLACED, 1, 1, Count(1)), Event(CONFIRMED, 1, 2, Count(2), "request-7")]


@pytest.mark.parametrize("alias", ["default", "catalog", "orders", "reporting"])
def test_events_are_appended_in_order_in_any_database(alias):
    with transaction.atomic(using=alias):
        append(alias, EVENTS)
    rows = Outbox.objects.using(alias).order_by("id")
    assert [
        (row.topic, row.aggregate, row.aggregate_version, row.schema_version, row.payload)
        for row in rows
    ] == [
        ("order.placed", "order:1", 1, 1, {"n": 1}),
        ("order.confirmed", "order:1", 2, 2, {"n": 2}),
    ]
    assert [row.headers for row in rows] == [{}, {"correlation_id": "request-7"}]
    assert len({row.event_id for row in rows}) == 2
    assert all(row.published_at is None and row.attempts == 0 for row in rows)


def test_appending_outside_a_transaction_is_refused():
    with pytest.raises(transaction.TransactionManagementError):
        append("orders", EVENTS)


def test_a_transaction_on_another_database_does_not_count():
    with (
        transaction.atomic(using="catalog"),
        pytest.raises(transaction.TransactionManagementError),
    ):
        append("orders", EVENTS)


def test_a_rolled_back_cause_leaves_no_event():
    with pytest.raises(ZeroDivisionError), transaction.atomic(using="orders"):
        append("orders", EVENTS)
        raise ZeroDivisionError
    assert Outbox.objects.using("orders").count() == 0


def test_a_payload_that_is_not_the_contracts_is_refused():
    with (
        transaction.atomic(using="orders"),
        pytest.raises(TypeError, match=r"order\.placed v1 carries Count, not dict"),
    ):
        append("orders", [Event(PLACED, 1, 1, {"n": 1})])
    assert Outbox.objects.using("orders").count() == 0
