"""Every page of people and machinery opens, in a number of queries that does not grow."""

import re

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.catalog.models import SaleNote
from apps.customers.models import User
from apps.messaging.models import StaffChange
from apps.orders.models import AuditRun
from tests.integration.backoffice.rows import (
    logins,
    machinery,
    mails,
    newest,
    people,
    read_model,
    remains,
    schedules,
    trade,
)

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))


FILLS = {
    "customers": people,
    "account": logins,
    "usersessions": logins,
    "auth": logins,
    "admin": logins,
    "mfa": remains,
    "eventlog": machinery,
    "messaging": machinery,
    "django_celery_beat": schedules,
    "caching": machinery,
    "catalog": trade,
    "notifications": mails,
    "orders": trade,
    "payments": trade,
    "reporting": read_model,
    "shipping": trade,
    "sagas": trade,
    "scheduling": remains,
}
# Where the app's other rows are no rows of these.
OWN_FILLS = {AuditRun: remains, SaleNote: machinery, StaffChange: remains}
PAGES = [
    (model, OWN_FILLS.get(model) or FILLS[model._meta.app_label])
    for model in apps.get_models()
    if admin.site.is_registered(model)
]
# What is asked of other apps for a page's sake: an order's page is made of all of them.
MOST_ON_LIST, MOST_ON_DETAIL = 16, 20
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


@pytest.mark.parametrize(("model", "fill"), PAGES)
def test_list_and_detail_open_in_a_constant_number_of_queries(staff, model, fill):
    base = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    counts = []
    for number in (1, 19):
        fill(number)
        pages = (base, f"{base}{newest(model).pk}/change/")
        for page in pages:  # content types are read once per process
            queries_of(staff, page)
        counts.append(tuple(queries_of(staff, page) for page in pages))

    assert counts[0] == counts[1]
    assert counts[0][0] <= MOST_ON_LIST
    assert counts[0][1] <= MOST_ON_DETAIL


def test_pages_over_the_whole_shop_open_in_a_constant_number_of_queries(staff):
    pages = ("/admin/", "/admin/trash/", "/admin/search/?s=a")
    counts = []
    for number in (1, 19):
        for fill in (trade, people, machinery, remains):
            fill(number)
        deleted = User.objects.order_by("pk")[:number]
        for user in [one for one in deleted if not one.is_superuser]:
            user.delete()
        for page in pages:
            queries_of(staff, page)
        counts.append([queries_of(staff, page) for page in pages])

    assert counts[0] == counts[1]


@pytest.mark.parametrize(("model", "fill"), PAGES)
def test_any_search_term_is_taken(staff, model, fill):
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
