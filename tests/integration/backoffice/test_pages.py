"""Every page of people and machinery opens, in a number of queries that does not grow."""

import re
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from apps.customers import facade
from apps.customers.contracts import Address, RegisterCustomer
from apps.customers.models import Address as AddressRow
from apps.customers.models import User
from apps.messaging.models import DeadLetter, IdempotencyRecord, Inbox, Outbox

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))


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
        Inbox.objects.using("orders").create(consumer="c", message_id=name, request_hash="")
        DeadLetter.objects.using("orders").create(
            consumer="c", event_id=name, topic="t", payload={}, reason="poison", error="e"
        )
        IdempotencyRecord.objects.using("orders").create(
            principal="p", key=name, request_hash="", response={}
        )


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


PAGES = [
    (User, people, "default"),
    (AddressRow, people, "default"),
    (EmailAddress, logins, "default"),
    (UserSession, logins, "default"),
    (Group, logins, "default"),
    (LogEntry, logins, "default"),
    (Outbox, machinery, "orders"),
    (Inbox, machinery, "orders"),
    (DeadLetter, machinery, "orders"),
    (IdempotencyRecord, machinery, "orders"),
    (PeriodicTask, schedules, "default"),
    (IntervalSchedule, schedules, "default"),
    (CrontabSchedule, schedules, "default"),
    (SolarSchedule, schedules, "default"),
    (ClockedSchedule, schedules, "default"),
]
OTHER_HOST = re.compile(r"""(?:src|href|action|content|url\()=?["'(]?\s*(?:https?:)?//[^"')\s]+""")


def queries_of(client, path: str) -> int:
    before = [CaptureQueriesContext(connections[alias]) for alias in settings.DATABASES]
    for capture in before:
        capture.__enter__()
    answer = client.get(path)
    for capture in before:
        capture.__exit__(None, None, None)
    assert answer.status_code == 200, path
    assert OTHER_HOST.findall(answer.content.decode()) == []
    return sum(len(capture) for capture in before)


@pytest.mark.parametrize(("model", "fill", "alias"), PAGES)
def test_list_and_detail_open_in_a_constant_number_of_queries(staff, model, fill, alias):
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    counts = []
    for number in (2, 8):
        fill(number)
        row = model._default_manager.using(alias).order_by("pk").last()
        pages = (base, f"{base}{row.pk}/change/")
        for page in pages:  # content types are read once per process
            queries_of(staff, page)
        counts.append(tuple(queries_of(staff, page) for page in pages))

    assert counts[0] == counts[1]
    assert counts[0][0] <= 10
    assert counts[0][1] <= 15


@pytest.mark.parametrize(("model", "fill", "alias"), PAGES)
def test_any_search_term_is_taken(staff, model, fill, alias):
    fill(1)
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"

    for term in ("a", "1", "x y", "%", "'", "01970000-0000-7000-8000-000000000000", "ü", "9" * 30):
        assert staff.get(base, {"q": term}).status_code == 200, term


def test_a_person_is_found_by_public_id_name_and_email(staff):
    people(3)
    user = User.objects.order_by("pk").last()

    for term in (str(user.public_id), user.email):
        content = staff.get("/admin/customers/user/", {"q": term}).content.decode()
        assert re.findall(r"[\w-]+@example\.com", content).count(user.email) >= 1
        assert len(set(re.findall(r"[0-9a-f-]{36}@example\.com", content))) == 1


@pytest.mark.parametrize("path", ["/admin/", "/admin/search/?s=out", "/admin/password_change/"])
def test_the_shells_own_pages_open(staff, path):
    queries_of(staff, path)


def test_the_search_finds_pages(staff):
    assert b"/admin/messaging/outbox/" in staff.get("/admin/search/?s=outbox").content
    assert staff.get("/admin/search/?s=").content == b""
