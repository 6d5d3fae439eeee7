"""Rows of every kind for the back office's pages to show."""

from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from apps.caching.models import Invalidation
from apps.catalog.models import Product, Reservation, SaleNote
from apps.customers import facade
from apps.customers.contracts import Address, RegisterCustomer
from apps.customers.models import User
from apps.eventlog.models import GroupProgress, LoggedEvent, Sweep
from apps.messaging.models import (
    DeadLetter,
    DeliveryAttempt,
    IdempotencyRecord,
    Inbox,
    Outbox,
    RelayLease,
    StaffChange,
)
from apps.notifications.models import Email, OrderFacts, Preference, Recipient
from apps.orders.models import AuditRun, Order, OrderLine, OrderReturn, OrderReturnLine
from apps.payments.models import MoneyDiscrepancy, Payment, PaymentEntry, ReconcilerRun
from apps.reporting.models import (
    CategoryName,
    CustomerName,
    DailySales,
    OrderView,
    OrderViewLine,
    OrderViewRefund,
    ProductName,
    Projection,
    ProjectionRebuild,
)
from apps.sagas.models import SagaLogEntry, SagaRun, SagaStep
from apps.scheduling.models import JobAlert, JobRun, ScheduledJob
from apps.shipping.models import Shipment
from tests.integration.catalog import shop


def people(count: int) -> None:
    home = Address(name="Ann", line1="1 High St", city="Ely", country="GB")
    emails = [f"{uuid4()}@example.com" for _ in range(count)]
    facade.register_customers([RegisterCustomer(email, "Ann", home) for email in emails])


def machinery(count: int) -> None:
    for _ in range(count):
        name = str(uuid4())
        Outbox.objects.using("orders").create(
            event_id=name, topic="t", aggregate="a", aggregate_version=1, payload={}
        )
        RelayLease.objects.using("orders").get_or_create(
            defaults={"token": name, "holder": "here:1", "until": timezone.now()}
        )
        Inbox.objects.using("orders").create(consumer="c", message_id=name, request_hash="")
        DeadLetter.objects.using("orders").create(
            consumer="c", event_id=name, topic="t", body=b"{}", reason="failed", error="e"
        )
        DeliveryAttempt.objects.using("orders").create(consumer="c", event_id=name)
        LoggedEvent.objects.create(
            position=LoggedEvent.objects.count() + 1, logged_at=timezone.now(), event_id=name,
            topic="t", aggregate="order:1", aggregate_version=1, schema_version=1,
            occurred_at=timezone.now(), payload={}, headers={}, order_id="1",
        )  # fmt: skip
        GroupProgress.objects.create(group=name, since=0, verified=0)
        Sweep.objects.create(database=name[:30], table="outbox")
        IdempotencyRecord.objects.using("orders").create(
            principal="p", key=name, request_hash="", response={}
        )
        Invalidation.objects.create(names=[f"catalog.product:{name}"])
        SaleNote.objects.create(key=name, day=20_000, sign=1, lines=[], basket=True)


def logins(count: int) -> None:
    user_type = ContentType.objects.get_for_model(User)
    for _ in range(count):
        name = str(uuid4())
        user = User.objects.create_user(f"{name}@example.com", name="Ann")
        EmailAddress.objects.create(user=user, email=user.email, primary=True)
        UserSession.objects.create(user=user, ip="10.0.0.1", session_key=name, user_agent="x")
        Group.objects.create(name=name)
        LogEntry.objects.create(
            user=user,
            content_type=user_type,
            object_id=str(user.pk),
            object_repr="x",
            action_flag=CHANGE,
            change_message="[]",
        )


def schedules(count: int) -> None:
    known = SolarSchedule.objects.count()
    for number in range(known, known + count):
        interval = IntervalSchedule.objects.create(every=number + 7, period="seconds")
        PeriodicTask.objects.create(name=str(uuid4()), task="t", interval=interval)
        CrontabSchedule.objects.create(minute=str(number))
        SolarSchedule.objects.create(event="sunset", latitude=number, longitude=number)
        ClockedSchedule.objects.create(clocked_time="2030-01-01T00:00Z")


def trade(count: int) -> None:
    """Orders with lines, money, stock, parcels and sagas: rows to look at, books that need not
    agree."""
    for _ in range(count):
        name, run = str(uuid4()), uuid4()
        product = Product.objects.get(public_id=shop.product(5, category=name))
        order = Order.objects.create(
            id=uuid4(), customer_id=uuid4(), currency="GBP", goods_total=1, shipping_total=0,
            total=1, address={}, saga_id=run, placed_at=timezone.now(),
        )  # fmt: skip
        line = OrderLine.objects.create(
            order=order, position=1, product_id=uuid4(), sku="A", name="A", unit_price=1, quantity=1
        )
        back = OrderReturn.objects.create(
            id=uuid4(), order=order, status="requested", reason="r", goods_total=1, amount=1
        )
        OrderReturnLine.objects.create(order_return=back, order_line=line, quantity=1)
        payment = Payment.objects.create(
            id=uuid4(), order_id=order.pk, amount=1, currency="GBP", card_token="t"
        )
        PaymentEntry.objects.create(
            payment=payment, operation="capture", state="requested", amount=1, currency="GBP",
            idempotency_key=name,
        )  # fmt: skip
        Shipment.objects.create(id=uuid4(), order_id=order.pk, tracking_number=name)
        Reservation.objects.create(order_id=order.pk, product=product, quantity=1, status="sold")
        saga = SagaRun.objects.create(
            id=run, kind="checkout", kind_version=1, business_key=str(order.pk), position=0,
            step="create_order", status="completed",
        )  # fmt: skip
        SagaStep.objects.create(
            run=saga, position=0, direction="F", name="create_order", status="completed",
            attempts=1, started_at=timezone.now(),
        )  # fmt: skip
        SagaLogEntry.objects.create(run=saga, event="retry", position=1, direction="F", attempt=1)
        MoneyDiscrepancy.objects.create(
            kind="unknown_refund", state="open", reference=str(payment.pk), detail="by hand"
        )
        ReconcilerRun.objects.create(
            seconds=0.1, records=1, payments=1, mended=0, opened=1, cleared=0, marks={}
        )


def mails(count: int) -> None:
    """Mails that were sent, who got them, what about."""
    for _ in range(count):
        customer, order = uuid4(), uuid4()
        Recipient.objects.create(customer_id=customer, email="a@b.c", name="Ann", version=1)
        Preference.objects.create(customer_id=customer)
        OrderFacts.objects.create(
            order_id=order, customer_id=customer, placed_at=timezone.now(), currency="GBP",
            goods_total=1, shipping_total=0, total=1, lines=[],
        )  # fmt: skip
        Email.objects.create(
            event_id=uuid4(), kind="welcome", customer_id=customer, order_id=order, state="sent",
            occurred_at=timezone.now(), recipient="a@b.c", subject="s", context={"email": "a@b.c"},
        )  # fmt: skip


def read_model(count: int) -> None:
    """Orders, names and sums as the events would have brought them, and rebuilds of it all."""
    for _ in range(count):
        order_id = uuid4()
        OrderView.objects.create(
            order_id=order_id, customer_id=uuid4(), customer_name="Ann", status="confirmed",
            currency="GBP", country="GB", total=1, placed_at=timezone.now(),
            updated_at=timezone.now(),
        )  # fmt: skip
        OrderViewLine.objects.create(
            order_id=order_id, position=1, product_id=uuid4(), sku="A", name="A", unit_price=1,
            quantity=1,
        )  # fmt: skip
        OrderViewRefund.objects.create(return_id=uuid4(), order_id=order_id, amount=1, lines=[])
        CustomerName.objects.create(customer_id=uuid4(), name="Ann", email="a@b.org", version=1)
        ProductName.objects.create(product_id=uuid4(), name="A", sku="A", version=1)
        CategoryName.objects.create(category_id=uuid4(), name="A", version=1)
        DailySales.objects.create(
            day=timezone.now().date(), currency="GBP", dimension="product", key=str(uuid4()),
            orders=1, pieces=1, revenue=1, refunds=0,
        )  # fmt: skip
        Projection.objects.create(name=str(uuid4()))
        ProjectionRebuild.objects.create(projection="order_views", state="swapped")


def remains(count: int) -> None:
    """What is left of work done: audits, runs and alerts of jobs, changes by staff."""
    for _ in range(count):
        AuditRun.objects.create(trigger="command", seconds=1.0)
        StaffChange.objects.using("orders").create(
            actor_id="a", actor_name="Ann", action="a", subject="s", subject_id="1"
        )
        user = User.objects.create_user(f"{uuid4()}@example.com", name="Ann")
        Authenticator.objects.create(user=user, type="totp", data={})
        job, _ = ScheduledJob.objects.get_or_create(name="audit")
        JobRun.objects.create(job=job, trigger="schedule", outcome="done", ended_at=timezone.now())
        JobAlert.objects.create(job=job, due_at=timezone.now(), cleared_at=timezone.now())


def newest(model: type[Model]) -> Any:
    """The row with the greatest key, or None; of messages those in the orders' database."""
    rows = model._base_manager.order_by("pk")
    return (rows.using("orders") if model._meta.app_label == "messaging" else rows).last()
