"""A list as somebody filtered it, kept in their own menu."""

from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client

from apps.customers import saved_views
from apps.customers.models import User

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))
LIST = "/admin/orders/order/"
PAID = "payment_status__exact=captured"


def save(client, **changes: str):
    given = {"name": "Paid", "path": LIST, "query": PAID} | changes
    return client.post("/admin/saved-views/save/", given, follow=True)


def menu(client) -> dict[str, str]:
    groups = client.get("/admin/").context["sidebar_navigation"]
    items = [group["items"] for group in groups if group["title"] == "Saved views"]
    return {one["title"]: one["link"] for one in (items[0] if items else [])}


def said(answer) -> str:
    [text] = [str(message) for message in answer.context["messages"]]
    return text


def test_a_filtered_list_offers_to_be_kept_and_then_is_in_the_menu(staff):
    assert b"Keep this view" not in staff.get(LIST).content
    assert b"Keep this view" in staff.get(f"{LIST}?{PAID}").content

    answer = save(staff, query=f"{PAID}&p=3")
    assert answer.redirect_chain == [(f"{LIST}?{PAID}", 302)]
    assert said(answer) == "“Paid” is in your menu."
    assert menu(staff) == {"Paid": f"{LIST}?{PAID}"}
    assert "Remove “Paid”" in staff.get(f"{LIST}?{PAID}").content.decode()


def test_a_known_name_is_taken_over_and_names_are_in_order(staff):
    save(staff)
    save(staff, name="all", query="o=1")
    save(staff, query="o=2")
    assert menu(staff) == {"all": f"{LIST}?o=1", "Paid": f"{LIST}?o=2"}
    assert list(menu(staff)) == ["all", "Paid"]


def test_a_view_is_removed(staff):
    save(staff)
    staff.post("/admin/saved-views/remove/", {"name": "Paid"})
    assert menu(staff) == {}
    assert staff.post("/admin/saved-views/remove/", {"name": "Paid"}).status_code == 302


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x" * 41},
        {"path": "https://evil.example/"},
        {"path": "//evil.example/"},
        {"path": "/api/v1/products"},
        {"path": "/admin/orders/order/add/"},
        {"path": ""},
        {"query": "q=" + "x" * 2_000},
    ],
)
def test_what_is_no_view_is_not_kept(staff, changes):
    answer = save(staff, **changes)
    assert answer.redirect_chain[0][0].startswith("/admin/")
    assert menu(staff) == {}


def test_nobody_keeps_more_than_a_menu_holds(staff, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 1)
    save(staff)
    assert said(save(staff, name="Other")) == "At most 1 views: remove one first."
    save(staff, query="o=2")
    assert menu(staff) == {"Paid": f"{LIST}?o=2"}


def test_views_are_ones_own_and_go_with_the_permission(staff):
    save(staff)
    clerk = User.objects.create_user(f"{uuid4()}@example.com", name="Clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_order"))
    client = Client()
    client.force_login(clerk)
    assert menu(client) == {}
    save(client, name="Mine")
    assert menu(client) == {"Mine": f"{LIST}?{PAID}"}
    assert menu(staff) == {"Paid": f"{LIST}?{PAID}"}

    clerk.user_permissions.set(Permission.objects.filter(codename="view_product"))
    assert menu(client) == {}


@pytest.mark.parametrize("name", ["save", "remove"])
def test_only_staff_and_only_forms(staff, name):
    assert staff.get(f"/admin/saved-views/{name}/").status_code == 405
    assert Client().post(f"/admin/saved-views/{name}/").status_code == 302
