"""The sidebar leads to what the person may see, and nowhere else."""

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client, RequestFactory
from django.urls import reverse

from apps.customers.models import User
from project.navigation import GROUPS, PAGES, sidebar

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))


def links_of(user: User) -> list[str]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return [item["link"] for group in sidebar(request) for item in group["items"]]


def test_every_entry_is_a_page(root, staff):
    entries = [label for _, entries in GROUPS for _, _, label in entries]

    assert len(links_of(root)) == len(entries) + len(["dashboard", "trash"]) + len(PAGES)
    assert [staff.get(reverse(name)).status_code for *_, name, _ in PAGES] == [200] * len(PAGES)
    assert all(apps.get_model(label) in admin.site._registry for label in entries)


def test_every_model_of_the_shop_has_a_page():
    ours = [m for m in apps.get_models() if m.__module__.startswith("apps.") and m._meta.managed]

    assert [model for model in ours if model not in admin.site._registry] == []


def test_a_person_sees_the_links_they_may_follow():
    clerk = User.objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    assert links_of(clerk) == []
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "view_outbox"]))
    clerk = User.objects.get(pk=clerk.pk)

    assert links_of(clerk) == [
        *("/admin/", "/admin/trash/", "/admin/customers/user/", "/admin/messaging/outbox/")
    ]
    client = Client()
    client.force_login(clerk)
    assert client.get("/admin/messaging/outbox/").status_code == 200
    assert client.get("/admin/messaging/inbox/").status_code == 403
    assert client.get("/admin/customers/address/").status_code == 403


def test_a_page_that_is_not_there_is_left_out(root, monkeypatch):
    monkeypatch.setattr(
        "project.navigation.GROUPS",
        (("Later", (("Ghosts", "x", "orders.Ghost"), ("Nowhere", "x", "nowhere.App"))),),
    )

    assert links_of(root) == []
