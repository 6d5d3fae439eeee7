"""Outbox, inbox, dead letters and idempotency stand in every database; a page shows one."""

import re
from html import unescape
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from apps.messaging.models import Inbox, Outbox

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))

LIST = "/admin/messaging/inbox/"


@pytest.fixture
def entries() -> dict[str, Inbox]:
    return {
        alias: Inbox.objects.using(alias).create(
            consumer=f"consumer-of-{alias}", message_id=str(uuid4()), request_hash=""
        )
        for alias in settings.DATABASES
    }


def test_orders_are_shown_first(staff, entries):
    content = staff.get(LIST).content.decode()

    assert "consumer-of-orders" in content
    assert "consumer-of-catalog" not in content


@pytest.mark.parametrize("alias", list(settings.DATABASES))
def test_the_picker_shows_the_database_and_leads_to_its_rows(staff, entries, alias):
    row = entries[alias]

    listed = staff.get(LIST, {"database": alias})
    content = listed.content.decode()
    assert f"consumer-of-{alias}" in content
    assert sum(f"consumer-of-{other}" in content for other in settings.DATABASES) == 1
    assert listed.context["cl"].result_count == 1

    [link] = set(re.findall(rf'href="({LIST}{row.pk}/change/[^"]*)"', content))
    for address in (unescape(link), f"{LIST}{row.pk}/change/?database={alias}"):
        assert row.message_id in staff.get(address).content.decode()


def test_search_and_filters_stay_in_the_database(staff, entries):
    found = staff.get(LIST, {"database": "catalog", "q": "consumer"}).context["cl"].result_count
    assert found == 1
    assert staff.get(LIST, {"database": "catalog", "q": "orders"}).context["cl"].result_count == 0


def test_an_unknown_database_is_the_first(staff, entries):
    assert "consumer-of-orders" in staff.get(LIST, {"database": "nonsense"}).content.decode()


def test_nothing_can_be_written(staff, entries):
    row = entries["orders"]
    page = f"{LIST}{row.pk}/"

    assert staff.post(f"{LIST}add/", {"consumer": "x"}).status_code == 403
    assert staff.post(f"{page}change/", {"consumer": "x"}).status_code == 403
    assert staff.post(f"{page}delete/", {"post": "yes"}).status_code == 302
    selected = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    assert staff.post(LIST, selected).status_code == 200
    assert staff.get(f"{page}history/").status_code == 302
    for alias, kept in entries.items():
        assert list(Inbox.objects.using(alias).values_list("consumer")) == [(kept.consumer,)]


def test_a_query_without_an_alias_is_refused():
    """What the pages guard against: guessing a database."""
    with pytest.raises(ImproperlyConfigured, match="name one with using"):
        Outbox.objects.count()
