"""The content security policy in a real browser: it forbids what it should and nothing we need."""

import re

import pytest
from django.test import Client

from apps.customers.models import User
from tests.trade import Trade

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
PASSWORD = "a-long-and-quiet-password"
STAFF_PAGES = (
    "/admin/",
    "/admin/orders/order/",
    "/admin/catalog/product/",
    "/admin/catalog/product/add/",
    "/admin/customers/user/",
    "/admin/sagas/sagarun/",
)


@pytest.fixture
def logged_in(visit, context):
    """The browser with the session of a superuser."""
    User.objects.create_superuser(email="root@example.org", password=PASSWORD, name="Root")
    client = Client()
    client.force_login(User.objects.get(email="root@example.org"))
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": visit.origin}])
    return visit


def policy(client, path):
    return client.get(path)["Content-Security-Policy"]


def test_the_back_office_runs_under_its_policy(logged_in):
    trade = Trade()
    order = trade.place()
    for path in (*STAFF_PAGES, f"/admin/orders/order/{order.order_id}/change/"):
        page = logged_in.open(path)
        assert page.locator("#page, main, #main").count(), path
    assert logged_in.complaints == []
    assert logged_in.strangers == set()


def test_the_login_page_runs_under_its_policy(visit):
    assert visit.open("/admin/login/").locator("input[name=username]").is_visible()
    assert (visit.complaints, visit.strangers) == ([], set())


@pytest.mark.parametrize("path", ["/api/docs", "/api/redoc"])
def test_the_documents_run_under_their_policy(visit, path):
    page = visit.open(path)
    page.get_by_text("Place an order").first.wait_for(state="attached")
    assert (visit.complaints, visit.strangers) == ([], set())


def test_a_script_that_was_slipped_in_does_not_run(visit):
    page = visit.open("/admin/login/")
    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.stolen = 1';"
        "document.body.append(s); const i = document.createElement('img');"
        "i.src = 'https://elsewhere.example/?cookie'; document.body.append(i)"
    )
    assert page.evaluate("window.stolen") is None
    page.wait_for_function("true")
    assert any("Content Security Policy" in text for text in visit.complaints)


@pytest.mark.parametrize("path", ["/admin/login/", "/api/docs", "/api/redoc", "/nowhere"])
def test_scripts_need_our_own_host_everywhere(client, path):
    scripts = re.search(r"script-src ([^;]+)", policy(client, path))[1].split()
    assert "'unsafe-inline'" not in scripts
    assert ("'unsafe-eval'" in scripts) == path.startswith("/admin/")
    assert "frame-ancestors 'none'" in policy(client, path)
