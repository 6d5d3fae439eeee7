"""Each write of staff leaves exactly one note, with what it changed; those of others leave none."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from moneyed import Money

from apps.catalog import categories, services
from apps.catalog import facade as catalog
from apps.catalog.contracts import AdjustStock
from apps.catalog.models import Category, Product
from apps.common.actor import Actor, acting
from apps.common.errors import HoldfastError
from apps.customers import addresses
from apps.customers import services as customers
from apps.customers.contracts import Address
from apps.customers.models import User
from apps.messaging.models import StaffChange
from apps.orders import facade as orders
from apps.orders.contracts import CancelOrder, DeliverOrder, ShipOrder
from apps.orders.models import Order
from tests.integration.catalog import shop
from tests.trade import Trade, drive_all

pytestmark = pytest.mark.django_db(databases="__all__")
# Sagas are driven on what is committed.
committed = pytest.mark.django_db(transaction=True, databases="__all__")
ANN = Actor("1", "Ann <ann@example.com>")
HOME = Address("Ada", "1 High St", "Ely", "GB")
Notes = list[tuple[str, str, str, Any, Any]]


def notes() -> Notes:
    """Every note of every database: subject, id, action, before, after."""
    return [
        (one.subject, one.subject_id, one.action, one.before, one.after)
        for alias in settings.DATABASES
        for one in StaffChange.objects.using(alias).order_by("id")
    ]


def left_by(write: Callable[[], Any], actor: Actor | None = ANN) -> Notes:
    """The notes that the write, the test's first, leaves behind."""
    assert notes() == []
    with acting(lambda: actor):
        write()
    return notes()


def product() -> Product:
    return Product.objects.get(public_id=shop.product(5))


class TestGoods:
    def test_a_new_product(self):
        [note] = left_by(
            lambda: services.product_create(sku="M1", name="Mug", price=Money("4.20", "GBP"))
        )
        made = Product.objects.get(sku="M1")
        assert note[:4] == ("catalog.product", str(made.public_id), "create", None)
        assert (note[4]["sku"], note[4]["name"], note[4]["price"]) == ("M1", "Mug", "4.20 GBP")

    def test_a_change_names_what_differs_only(self):
        one = product()
        changes = {"name": "Best mug", "price": Money("5.00", "GBP"), "active": True}
        [note] = left_by(
            lambda: services.product_change(product_pk=one.pk, version=1, changes=changes)
        )
        assert note == (
            *("catalog.product", str(one.public_id), "change"),
            {"name": one.name, "price": "4.20 GBP"},
            {"name": "Best mug", "price": "5.00 GBP"},
        )

    def test_a_change_that_is_refused_leaves_none(self):
        one = product()

        def stale() -> None:
            with pytest.raises(HoldfastError):
                services.product_change(product_pk=one.pk, version=9, changes={"name": "X"})

        assert left_by(stale) == []

    def test_delete_and_restore_and_again(self):
        one = product()
        [note] = left_by(lambda: services.product_delete(product_pk=one.pk))
        assert (note[2], note[3]["sku"], note[4]) == ("delete", one.sku, None)
        with acting(lambda: ANN):
            services.product_delete(product_pk=one.pk)  # it is deleted already
            services.product_restore(product_pk=one.pk)
            services.product_restore(product_pk=one.pk)
        assert [action for _, _, action, *_ in notes()] == ["delete", "restore"]

    def test_a_count_that_is_corrected(self):
        one = product()
        command = AdjustStock("k1", "staff:1", one.public_id, -2, "broken")
        [note] = left_by(lambda: [catalog.adjust_stock(command) for _ in range(2)])
        assert note == (
            *("catalog.product", str(one.public_id), "adjust_stock"),
            {"on_hand": 5},
            {"on_hand": 3, "reason": "broken"},
        )

    def test_categories(self):
        def work() -> None:
            tea = categories.category_create(name="Tea")
            categories.category_change(category_id=tea.pk, name="Teas", slug="tea")
            categories.category_delete(category_id=tea.pk)
            categories.category_restore(category_id=tea.pk)

        left = left_by(work)
        assert [(subject, action) for subject, _, action, *_ in left] == [
            ("catalog.category", action) for action in ("create", "change", "delete", "restore")
        ]
        assert left[1][3:] == ({"name": "Tea"}, {"name": "Teas"})
        assert {subject_id for _, subject_id, *_ in left} == {str(Category.objects.get().public_id)}


class TestPeople:
    def test_an_account_and_its_roles(self):
        group = Group.objects.get(name="Support")
        roles = {"is_staff": True, "groups": [group]}
        [note] = left_by(
            lambda: customers.customer_create(
                email="s@example.com", name="S", password="a long secret", roles=roles
            )
        )
        user = User.objects.get()
        assert note[:3] == ("customers.user", str(user.public_id), "create")
        assert note[4] == {
            "email": "s@example.com", "name": "S", "is_staff": True, "groups": ["Support"],
        }  # fmt: skip
        assert "a long secret" not in str(notes())

    def test_a_change_names_what_differs_only(self):
        user = customers.customer_create(email="a@example.com", name="Ada")
        finance = Group.objects.get(name="Finance")
        changes = {"name": "Ada L", "email": "a@example.com", "groups": [finance]}
        [note] = left_by(lambda: customers.customer_update(user_id=user.pk, changes=changes))
        assert note[2:] == (
            "change",
            {"name": "Ada", "groups": []},
            {"name": "Ada L", "groups": ["Finance"]},
        )

    def test_saving_what_is_there_leaves_none(self):
        user = customers.customer_create(email="a@example.com", name="Ada")
        assert (
            left_by(lambda: customers.customer_update(user_id=user.pk, changes={"name": "Ada"}))
            == []
        )

    def test_password_delete_and_restore(self):
        user = customers.customer_create(
            email="a@example.com", name="Ada", password="an old secret"
        )

        def work() -> None:
            customers.customer_set_password(user_id=user.pk, password="another secret")
            customers.customer_delete(user_id=user.pk)
            customers.customer_delete(user_id=user.pk)
            customers.customer_restore(user_id=user.pk)

        left = left_by(work)
        assert [action for _, _, action, *_ in left] == ["set_password", "delete", "restore"]
        assert "secret" not in str(left)

    def test_addresses(self):
        user = customers.customer_create(email="a@example.com", name="Ada")

        def work() -> None:
            one = addresses.address_create(user_id=user.pk, address=HOME)
            two = addresses.address_create(user_id=user.pk, address=HOME)
            addresses.address_change(address_id=one.pk, changes={"city": "Bath"})
            addresses.address_change(address_id=one.pk, changes={"city": "Bath"})
            addresses.address_make_default(address_id=two.pk)
            addresses.address_delete(address_id=one.pk)
            addresses.address_restore(address_id=one.pk)

        left = left_by(work)
        actions = ["create", "create", "change", "change", "delete", "restore"]
        assert [action for _, _, action, *_ in left] == actions
        assert left[2][3:] == ({"city": "Ely"}, {"city": "Bath"})
        assert left[3][3:] == ({"is_default": False}, {"is_default": True})

    def test_logins_that_are_ended(self):
        user = customers.customer_create(
            email="a@example.com", name="Ada", password="a long secret"
        )
        rows = [
            UserSession.objects.create(user=user, ip="::1", session_key=key, user_agent="x")
            for key in "ab"
        ]
        [note] = left_by(lambda: customers.sessions_end(session_ids=[row.pk for row in rows]))
        assert note[:3] == ("customers.user", str(user.public_id), "end_logins")


@committed
class TestOrders:
    @pytest.fixture
    def order(self, gateway) -> Order:
        order_id = Trade().place(MUG=1).order_id
        drive_all()
        return Order.objects.get(pk=order_id)

    def test_ship_and_deliver(self, order):
        [note] = left_by(lambda: orders.ship_order(ShipOrder(order.pk, order.version)))
        assert note == (
            *("orders.order", str(order.pk), "ship"),
            {"status": "confirmed"},
            {"status": "shipped"},
        )
        with acting(lambda: ANN):
            orders.ship_order(ShipOrder(order.pk))  # it is shipped already
            orders.deliver_order(DeliverOrder(order.pk))
        assert [action for _, _, action, *_ in notes()] == ["ship", "deliver"]

    def test_cancel_is_noted_once_whoever_carries_it_out(self, order):
        command = CancelOrder("staff:1", "k1", order.pk, "damaged", version=order.version)
        [note] = left_by(lambda: [orders.cancel_order(command) for _ in range(2)])
        drive_all()
        assert notes() == [note]
        assert note[2:] == (
            "cancel",
            {"status": "confirmed"},
            {"status": "cancelled", "reason": "damaged"},
        )


class TestSchedule:
    @pytest.fixture
    def staff(self) -> Client:
        root = User.objects.create_superuser("root@example.com", name="Root")
        client = Client()
        client.force_login(root)
        return client

    def test_an_interval_that_is_changed(self, staff):
        row = IntervalSchedule.objects.create(every=7, period="minutes")
        path = f"/admin/django_celery_beat/intervalschedule/{row.pk}/change/"
        assert staff.post(path, {"every": "9", "period": "minutes"}).status_code == 302
        assert notes() == [
            (
                *("django_celery_beat.intervalschedule", str(row.pk), "change"),
                {"every": 7},
                {"every": 9},
            )
        ]
        staff.post(path, {"every": "9", "period": "minutes"})
        assert len(notes()) == 1
        staff.post(path.replace("change", "delete"), {"post": "yes"})
        assert notes()[1][2:] == ("delete", {"name": "every 9 minutes"}, None)

    def test_a_task_that_is_paused_by_an_action(self, staff):
        task = PeriodicTask.objects.get(name="Expire holds")
        selected = {"action": "disable_tasks", "_selected_action": [task.pk]}
        for _ in range(2):
            staff.post("/admin/django_celery_beat/periodictask/", selected)
        assert notes() == [
            (
                *("django_celery_beat.periodictask", str(task.pk), "change"),
                {"enabled": True},
                {"enabled": False},
            )
        ]

    def test_a_role_that_is_given_more(self, staff):
        group = Group.objects.create(name="Packers")
        permission = Permission.objects.get(codename="view_shipment")
        given = {"name": "Packers", "permissions": [permission.pk]}
        assert staff.post(f"/admin/auth/group/{group.pk}/change/", given).status_code == 302
        [note] = notes()
        assert note[:4] == ("auth.group", str(group.pk), "change", {"permissions": []})
        assert note[4] == {"permissions": [str(permission)]}


def test_reading_leaves_none(client):
    root = User.objects.create_superuser("root@example.com", name="Root")
    one = product()
    client.force_login(root, "apps.customers.backends.LoginBackend")
    for path in (
        "/admin/",
        "/admin/catalog/product/",
        f"/admin/catalog/product/{one.pk}/change/",
        f"/admin/catalog/product/{one.pk}/history/",
        "/admin/orders/order/",
        "/admin/scheduling/scheduledjob/",
        "/admin/messaging/staffchange/",
        "/api/v1/products",
    ):
        assert client.get(path).status_code == 200, path
    assert notes() == []


@committed
def test_what_customers_do_themselves_leaves_none(gateway):
    trade = Trade()
    user = User.objects.get(public_id=trade.customer_id)
    client = Client()
    client.force_login(user, "apps.customers.backends.LoginBackend")

    def work() -> None:
        customers.customer_update(user_id=user.pk, changes={"name": "Ada L"})
        addresses.address_create(user_id=user.pk, address=HOME)
        placed = trade.place(MUG=1, key=str(uuid4()))
        orders.cancel_order(
            CancelOrder(
                f"customer:{user.public_id}", "c", placed.order_id, "changed_mind",
                customer_id=user.public_id,
            )
        )  # fmt: skip

    assert left_by(work, actor=None) == []
    drive_all()
    assert notes() == []
