"""What each role may do in the back office: every page, and the acts that count."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from apps.catalog import services
from apps.catalog.models import Product
from apps.customers.models import User
from apps.orders.models import Order
from tests.integration.catalog import shop
from tests.trade import Trade, drive_all

pytestmark = pytest.mark.django_db(databases="__all__")
READ, SUPPORT, CATALOGUE = "Read-only", "Support", "Catalogue"
WAREHOUSE, FINANCE, MANAGER = "Warehouse", "Finance", "Manager"
ROLES = (READ, SUPPORT, CATALOGUE, WAREHOUSE, FINANCE, MANAGER)

# Page → who may open it.
LISTS = {
    "catalog/product": set(ROLES),
    "catalog/category": set(ROLES),
    "catalog/stockitem": set(ROLES),
    "catalog/reservation": set(ROLES),
    "catalog/stockledgerentry": {READ, WAREHOUSE, FINANCE, MANAGER},
    "orders/order": {READ, SUPPORT, WAREHOUSE, FINANCE, MANAGER},
    "orders/auditrun": {READ, FINANCE, MANAGER},
    "payments/payment": {READ, SUPPORT, FINANCE, MANAGER},
    "payments/paymententry": {READ, SUPPORT, FINANCE, MANAGER},
    "shipping/shipment": {READ, SUPPORT, WAREHOUSE, FINANCE, MANAGER},
    "sagas/sagarun": {READ, SUPPORT, WAREHOUSE, FINANCE, MANAGER},
    "customers/user": {READ, SUPPORT, FINANCE, MANAGER},
    "customers/address": {READ, SUPPORT, FINANCE, MANAGER},
    "notifications/email": {READ, SUPPORT, MANAGER},
    "notifications/preference": {READ, SUPPORT, MANAGER},
    "usersessions/usersession": {SUPPORT, MANAGER},
    "account/emailaddress": {SUPPORT, MANAGER},
    "auth/group": {MANAGER},
    "admin/logentry": {MANAGER},
    "messaging/staffchange": {FINANCE, MANAGER},
    "messaging/outbox": {MANAGER},
    "messaging/deadletter": {MANAGER},
    "messaging/deliveryattempt": {MANAGER},
    "eventlog/loggedevent": {MANAGER},
    "eventlog/groupprogress": {MANAGER},
    "eventlog/sweep": {MANAGER},
    "messaging/relaylease": {MANAGER},
    "messaging/idempotencyrecord": {MANAGER},
    "caching/invalidation": {MANAGER},
    "catalog/salenote": {MANAGER},
    "scheduling/scheduledjob": {READ, FINANCE, MANAGER},
    "django_celery_beat/periodictask": {MANAGER},
}
# Form to make something new → who may open it.
ADDS = {
    "catalog/product": {CATALOGUE, MANAGER},
    "catalog/category": {CATALOGUE, MANAGER},
    "customers/user": {SUPPORT, MANAGER},
    "customers/address": {SUPPORT, MANAGER},
    "django_celery_beat/periodictask": {MANAGER},
    "auth/group": set(),
    "orders/order": set(),
    "catalog/stockitem": set(),
    "messaging/staffchange": set(),
}


@pytest.mark.parametrize("role", ROLES)
def test_pages_open_to_those_they_are_for(client_of, role):
    client = client_of(role)
    opened = {page for page in LISTS if client.get(f"/admin/{page}/").status_code == 200}
    assert opened == {page for page, roles in LISTS.items() if role in roles}
    adding = {page for page in ADDS if client.get(f"/admin/{page}/add/").status_code == 200}
    assert adding == {page for page, roles in ADDS.items() if role in roles}
    assert client.get("/admin/").status_code == 200


def outcome(client, path: str, data: dict) -> bool:
    """Whether the act was allowed; anything but a page or a refusal fails."""
    status = client.post(path, data).status_code
    assert status in (200, 302, 403), (path, status)
    return status == 302


@pytest.mark.parametrize("role", ROLES)
def test_products_are_deleted_and_restored_by_those_who_keep_them(client_of, role):
    product = Product.objects.get(public_id=shop.product())
    client, may = client_of(role), role in (CATALOGUE, MANAGER)
    deleted = outcome(client, f"/admin/catalog/product/{product.pk}/delete/", {"post": "yes"})
    product.refresh_from_db()
    assert (deleted, product.deleted is not None) == (may, may)
    if not may:
        services.product_delete(product_pk=product.pk)
    path = reverse("admin:catalog_product_restore", args=[product.pk])
    restored = outcome(client, path, {"_form_submitted": "on"})
    assert (restored, Product.objects.filter(pk=product.pk).exists()) == (may, may)


@pytest.mark.parametrize("role", ROLES)
def test_stock_is_adjusted_by_those_who_count_it(client_of, role):
    product_id = shop.product(5)
    product = Product.objects.get(public_id=product_id)
    path = reverse("admin:catalog_product_adjust_stock", args=[product.pk])
    given = {"_form_submitted": "on", "delta": "2", "reason": "found", "key": str(product_id)}
    outcome(client_of(role), path, given)
    may = role in (WAREHOUSE, MANAGER)
    assert shop.levels(product_id) == ((7, 0) if may else (5, 0))


@pytest.mark.django_db(transaction=True, databases="__all__")
@pytest.mark.parametrize("role", ROLES)
def test_orders_are_moved_by_those_who_handle_them(client_of, role, gateway):
    order_id = Trade().place(MUG=1).order_id
    drive_all()
    order = Order.objects.get(pk=order_id)
    assert order.status == "confirmed"
    client_of(role).post(
        "/admin/orders/order/", {"action": "ship", "_selected_action": [str(order_id)]}
    )
    may = role in (SUPPORT, WAREHOUSE, MANAGER)
    order.refresh_from_db()
    assert order.status == ("shipped" if may else "confirmed")


@pytest.mark.parametrize("role", ROLES)
def test_nobody_but_a_manager_makes_staff(client_of, role):
    page = "/admin/customers/user/add/"
    client = client_of(role)
    given = {"email": "new@example.com", "name": "New", "password": "a long secret"}
    client.post(page, given | {"is_staff": "on"})
    made = User.objects.filter(email="new@example.com").first()
    assert (made is not None) == (role in (SUPPORT, MANAGER))
    assert (made is not None and made.is_staff) == (role == MANAGER)


def test_a_manager_gives_every_role_and_support_none(client_of, member):
    def offered(client) -> set[str]:
        form = client.get("/admin/customers/user/add/").context["adminform"].form
        if "groups" not in form.fields:
            return set()
        return set(form.fields["groups"].queryset.values_list("name", flat=True))

    Group.objects.create(name="Empty")
    assert offered(client_of(MANAGER)) == {*ROLES, "Empty"}
    assert offered(client_of(SUPPORT)) == set()


@pytest.mark.parametrize("role", [READ, SUPPORT, CATALOGUE, WAREHOUSE, FINANCE])
def test_nobody_changes_or_runs_the_schedule_but_a_manager(client_of, role):
    from django_celery_beat.models import PeriodicTask

    task = PeriodicTask.objects.get(name="Expire holds")
    client = client_of(role)
    page = "/admin/django_celery_beat/periodictask/"
    for action in ("disable_tasks", "run_tasks", "toggle_tasks"):
        answer = client.post(page, {"action": action, "_selected_action": [task.pk]})
        assert answer.status_code in (302, 403)
    assert client.get(f"{page}{task.pk}/change/").status_code == 403
    task.refresh_from_db()
    assert task.enabled is True
