"""The read model over HTTP."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from apps.common.ids import new_id
from apps.customers.models import User
from tests.integration.reporting.told import (
    NOON,
    AnOrder,
    apply,
    category,
    customer,
    product,
)

pytestmark = pytest.mark.django_db(databases=["default", "reporting"])
PATH = "/api/v1/order-views"
MUG, CUP, KITCHEN = (new_id() for _ in range(3))


def client_of(user: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann@example.org", name="Ann")


@pytest.fixture
def staff() -> APIClient:
    user = User.objects.create_user("staff@example.org", name="Staff", is_staff=True)
    rights = ("view_orderview", "view_dailysales")
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    return client_of(User.objects.get(pk=user.pk))


@pytest.fixture
def bought(ann) -> dict[str, AnOrder]:
    """Ann's order and one of Bob's, a day later; a third that nobody told the beginning of."""
    bob = new_id()
    orders = {
        "ann": AnOrder(ann.public_id, [(MUG, "4.20", 2), (CUP, "1.10", 3)], shipping="3.00"),
        "bob": AnOrder(bob, [(CUP, "1.10", 1)], country="FR", placed_at=NOON + timedelta(days=1)),
    }
    apply(
        [
            customer(ann.public_id, "Ann"),
            customer(bob, "Bob"),
            category(KITCHEN, "Kitchen"),
            product(MUG, "Mug", KITCHEN),
            *orders["ann"].life(),
            *orders["bob"].life()[:5],
            *AnOrder(bob, [(MUG, "1.00", 1)]).life()[1:],
        ]
    )
    return orders


def ids(answer) -> list[UUID]:
    assert answer.status_code == 200, answer.content
    return [UUID(one["id"]) for one in answer.json()["results"]]


def test_customers_see_their_own_and_staff_see_all(ann, staff, bought):
    his, hers = bought["bob"].order_id, bought["ann"].order_id
    assert ids(client_of(ann).get(PATH)) == [hers]
    assert ids(staff.get(PATH)) == [his, hers]
    assert client_of(ann).get(f"{PATH}/{his}").status_code == 404
    assert staff.get(f"{PATH}/{his}").json()["customer_name"] == "Bob"


def test_an_order_is_shown_whole(ann, bought):
    order = bought["ann"]
    shown = client_of(ann).get(f"{PATH}/{order.order_id}").json()

    assert shown.pop("updated_at") and shown.pop("version") == order.version
    assert [line["total"]["amount"] for line in shown.pop("lines")] == ["8.40", "3.30"]
    assert shown == {
        "id": str(order.order_id),
        "customer_id": str(ann.public_id),
        "customer_name": "Ann",
        "customer_email": "ann@example.org",
        "status": "delivered",
        "payment_status": "captured",
        "fulfillment_status": "delivered",
        "status_display": "Delivered",
        "item_count": 5,
        "product_names": ["Thing 0", "Thing 1"],
        "subtotal": {"amount": "11.70", "currency": "GBP"},
        "shipping": {"amount": "3.00", "currency": "GBP"},
        "total": {"amount": "14.70", "currency": "GBP"},
        "refunded": {"amount": "0.00", "currency": "GBP"},
        "country": "GB",
        "placed_at": "2026-03-02T12:00:00Z",
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"status": "delivered"}, ["ann"]),
        ({"status": "cancelled"}, []),
        ({"placed_after": "2026-03-03T00:00:00Z"}, ["bob"]),
        ({"placed_before": "2026-03-03T00:00:00Z"}, ["ann"]),
        ({"q": "bo"}, ["bob"]),
        ({"q": "ann@exam"}, ["ann"]),
        ({"q": "Thing 1"}, ["ann"]),
        ({"q": "thing"}, ["bob", "ann"]),
        ({"q": str(CUP)[:8]}, ["bob", "ann"]),
        ({"q": "nothing"}, []),
        ({"q": "%"}, []),
        ({"ordering": "placed_at"}, ["ann", "bob"]),
    ],
)
def test_lists_are_narrowed(staff, bought, query, found):
    assert ids(staff.get(PATH, query)) == [bought[name].order_id for name in found]


def test_an_id_finds_its_order_and_a_customers_id_theirs(staff, bought, ann):
    for term in (str(bought["ann"].order_id), str(ann.public_id)):
        assert ids(staff.get(PATH, {"q": term})) == [bought["ann"].order_id]
    assert ids(staff.get(PATH, {"customer_id": str(ann.public_id)})) == [bought["ann"].order_id]


def test_pages_go_by_cursor_or_by_number(staff, bought):
    his, hers = bought["bob"].order_id, bought["ann"].order_id
    first = staff.get(PATH, {"limit": 1})
    assert ids(first) == [his] and "total" not in first.json()
    assert ids(staff.get(first.json()["next"])) == [hers]

    second = staff.get(PATH, {"page": 2, "page_size": 1})
    page = second.json()
    assert (page["total"], page["total_pages"], page["page"], page["page_size"]) == (2, 2, 2, 1)
    assert ids(second) == [hers]
    assert page["next"] is None and ids(staff.get(page["previous"])) == [his]
    assert staff.get(PATH, {"page": 3}).json()["results"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"page": 0}, "page"),
        ({"page_size": 101}, "page_size"),
        ({"page": 1, "limit": 5}, "page"),
        ({"limit": 101}, "limit"),
        ({"colour": "red"}, "colour"),
        ({"status": "lost"}, "status"),
    ],
)
def test_what_is_wrong_is_named(staff, query, field):
    answer = staff.get(PATH, query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_version_that_is_there_is_shown_and_a_later_one_is_waited_for(ann, bought, settings):
    settings.READ_MODEL_WAIT_SECONDS = 0.02
    order, client = bought["ann"], client_of(ann)
    path = f"{PATH}/{order.order_id}"
    assert client.get(path, {"min_version": order.version}).json()["version"] == order.version

    later = client.get(path, {"min_version": order.version + 1})
    assert (later.status_code, later["Retry-After"]) == (202, "1")
    assert later.json() == {
        "id": str(order.order_id),
        "version": order.version,
        "min_version": order.version + 1,
    }


def test_somebody_elses_order_is_as_unknown_as_one_that_is_not_there(ann, bought, settings):
    settings.READ_MODEL_WAIT_SECONDS = 0.02
    answers = [
        client_of(ann).get(f"{PATH}/{order_id}", {"min_version": 1})
        for order_id in (bought["bob"].order_id, new_id())
    ]
    assert [(one.status_code, one.json()["version"]) for one in answers] == [(202, 0), (202, 0)]


def test_daily_sales_by_each_dimension(staff, ann, bought):
    def get(**query) -> list[tuple]:
        answer = staff.get("/api/v1/sales/daily", query)
        assert answer.status_code == 200, answer.content
        return [
            (row["day"], row["name"], row["orders"], row["pieces"], row["net"]["amount"])
            for row in answer.json()["results"]
        ]

    assert get(by="country") == [
        ("2026-03-03", "FR", 1, 1, "1.10"),
        ("2026-03-02", "GB", 1, 5, "14.70"),
    ]
    assert sorted(get(by="category", to="2026-03-02")) == [
        ("2026-03-02", "Kitchen", 1, 2, "8.40"),
        ("2026-03-02", "No category", 1, 3, "3.30"),
        ("2026-03-02", "Shipping and other", 0, 0, "3.00"),
    ]
    assert get(key=str(MUG)) == [("2026-03-02", "Mug", 1, 2, "8.40")]
    assert [row[0] for row in get(**{"from": "2026-03-03"})] == ["2026-03-03"]
    assert client_of(ann).get("/api/v1/sales/daily").status_code == 403
