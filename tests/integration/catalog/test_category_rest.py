"""The category tree over HTTP."""

from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from apps.catalog import categories, services
from apps.catalog.models import Category, Product
from apps.messaging.models import StaffChange
from tests.integration.catalog import shop
from tests.integration.catalog.people import customer, staff

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
TREE = "/api/v1/categories"


def tree(client: APIClient | None = None, query: str = "") -> list:
    def shape(nodes: list) -> list:
        return [(one["name"], shape(one["children"])) for one in nodes]

    answer = (client or APIClient()).get(f"{TREE}{query}")
    assert answer.status_code == 200
    return shape(answer.json()["results"])


def notes() -> list[tuple]:
    rows = StaffChange.objects.using("catalog").filter(subject="catalog.category").order_by("pk")
    return [(one.action, one.before, one.after) for one in rows]


def test_the_tree_is_nested_by_name_and_costs_one_query():
    kitchen = categories.category_create(name="Kitchen")
    mugs = categories.category_create(name="Mugs", parent_id=kitchen.pk)
    categories.category_create(name="Bowls", parent_id=kitchen.pk)
    categories.category_create(name="Tall mugs", parent_id=mugs.pk)
    categories.category_create(name="Garden")
    gone = categories.category_create(name="Gone")
    categories.category_delete(category_id=gone.pk)
    with CaptureQueriesContext(connections["catalog"]) as queries:
        assert tree() == [
            ("Garden", []),
            ("Kitchen", [("Bowls", []), ("Mugs", [("Tall mugs", [])])]),
        ]
    assert len(queries) == 1
    etag = APIClient().get(TREE)["ETag"]
    assert APIClient().get(TREE, headers={"If-None-Match": etag}).status_code == 304


def test_deleted_categories_are_for_staff():
    gone = categories.category_create(name="Gone")
    categories.category_delete(category_id=gone.pk)
    assert tree(staff("view_category"), "?state=deleted") == [("Gone", [])]
    assert APIClient().get(f"{TREE}?state=deleted").status_code == 401
    assert customer("view_category").get(f"{TREE}?state=deleted").status_code == 403
    assert APIClient().get(f"{TREE}?state=old").status_code == 400


def test_a_category_lives_through_its_addresses():
    client = staff(
        *(f"{what}_category" for what in ("add", "change", "delete", "restore", "purge"))
    )
    kitchen = client.post(TREE, {"name": "Kitchen"}).json()
    made = client.post(TREE, {"name": "Mugs", "parent": "kitchen"})
    assert (made.status_code, made.json()["slug"], made.json()["version"]) == (201, "mugs", 1)
    address = made["Location"]
    assert made.json()["parent"] == {key: kitchen[key] for key in ("id", "slug", "name")}
    changed = client.patch(
        address, {"name": "Cups", "parent": None}, headers={"If-Match": made["ETag"]}
    )
    body = changed.json()
    assert (body["name"], body["slug"], body["parent"], body["version"]) == (
        "Cups",
        "mugs",
        None,
        2,
    )
    stale = client.patch(address, {"name": "Bowls"}, headers={"If-Match": made["ETag"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    assert client.patch(address, {"name": "Bowls"}).status_code == 400
    assert client.delete(address, headers={"If-Match": '"1"'}).status_code == 409
    assert client.delete(address).status_code == 204
    assert client.delete(address).status_code == 204
    assert APIClient().get(address).status_code == 404
    restored = client.post(f"{address}/restore")
    assert (restored.status_code, restored.json()["version"]) == (200, 4)
    assert client.post(f"{address}/purge").json()["code"] == "not_deleted"
    client.delete(address)
    assert client.post(f"{address}/purge").status_code == 204
    assert [one.name for one in Category.all_objects.all()] == ["Kitchen"]
    assert [action for action, *_ in notes()] == [
        *("create", "create", "change", "delete", "restore", "delete", "purge")
    ]
    assert notes()[2] == (
        "change",
        {"name": "Mugs", "parent": "kitchen"},
        {"name": "Cups", "parent": None},
    )


@pytest.mark.parametrize(
    ("body", "status", "field", "code"),
    [
        ({}, 400, "name", "required"),
        ({"name": "Tea", "parent": "nowhere"}, 400, "parent", "does_not_exist"),
        ({"name": "…"}, 400, "slug", "invalid"),
        ({"name": "Kitchen"}, 409, "slug", "taken"),
        ({"name": "Tea", "colour": "red"}, 400, "colour", "unknown_field"),
    ],
)
def test_what_does_not_fit_is_named(body, status, field, code):
    holder = categories.category_create(name="Kitchen")
    answer = staff("add_category").post(TREE, body)
    assert answer.status_code == status
    assert [(one["field"], one["code"]) for one in answer.json()["errors"]] == [(field, code)]
    if status == 409:
        assert answer.json()["holder"] == {"id": str(holder.public_id), "name": "Kitchen"}
    assert Category.all_objects.count() == 1 and not notes()


def test_a_category_in_use_stays():
    public_id = shop.product(category="Tea")
    tea = Category.objects.get()
    client = staff("delete_category", "purge_category")
    answer = client.delete(f"{TREE}/{tea.public_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "category_in_use")
    services.product_delete(product_pk=Product.objects.get(public_id=public_id).pk)
    assert client.delete(f"{TREE}/{tea.public_id}").status_code == 204
    answer = client.post(f"{TREE}/{tea.public_id}/purge")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert Category.deleted_objects.count() == 1


def test_the_tree_does_not_grow_without_end():
    parent = None
    for n in range(categories.MAX_LEVELS):
        parent = categories.category_create(name=f"Level {n}", parent_id=parent and parent.pk)
    client = staff("add_category", "change_category")
    answer = client.post(TREE, {"name": "Too low", "parent": parent.slug})
    assert [one["code"] for one in answer.json()["errors"]] == ["too_deep"]
    other = categories.category_create(name="Other")
    answer = client.patch(
        f"{TREE}/{Category.objects.get(name='Level 0').public_id}",
        {"parent": other.slug, "version": 1},
    )
    assert [one["code"] for one in answer.json()["errors"]] == ["too_deep"]
    assert not notes()


def test_an_unknown_category_is_404():
    client = staff("change_category", "delete_category", "restore_category", "purge_category")
    address = f"{TREE}/{uuid4()}"
    assert APIClient().get(address).status_code == 404
    assert client.patch(address, {"name": "x", "version": 1}).status_code == 404
    assert client.delete(address).status_code == 404
    for action in ("restore", "purge"):
        assert client.post(f"{address}/{action}").status_code == 404
