"""Many products at once: every item has its own end."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.catalog import categories, services
from apps.catalog.models import PriceChange, Product, StockItem
from apps.messaging.models import StaffChange
from tests.integration.catalog import shop
from tests.integration.catalog.people import staff

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
BULK = "/api/v1/products/bulk"
PRICE = {"amount": "4.50", "currency": "GBP"}
RIGHTS = ("add_product", "change_product")


def item(sku: str, **values) -> dict:
    return {"sku": sku, "name": f"Thing {sku}", "price": PRICE} | values


def send(*items, key: str = "k", status: int = 200, client=None) -> dict:
    client = client or staff(*RIGHTS)
    answer = client.post(BULK, {"items": list(items)}, headers={"Idempotency-Key": key})
    assert answer.status_code == status, answer.content
    return answer.json()


def ends(answer: dict) -> list[tuple]:
    return [
        (one["sku"], one["result"], [(error["field"], error["code"]) for error in one["errors"]])
        for one in answer["results"]
    ]


def test_products_are_made_changed_and_left_alone():
    client = staff(*RIGHTS)
    tea = categories.category_create(name="Tea")
    made = send(item("A", category="tea"), item("B"), client=client)
    assert (made["created"], made["updated"], made["unchanged"], made["error"]) == (2, 0, 0, 0)
    again = send(
        item("A", price={"amount": "5.00", "currency": "GBP"}),
        item("B"),
        item("C", active=False, attributes={"colour": "red"}),
        {"sku": "A2"},
        key="k2",
        client=client,
    )
    assert ends(again) == [
        ("A", "updated", []),
        ("B", "unchanged", []),
        ("C", "created", []),
        ("A2", "error", [("name", "required"), ("price", "required")]),
    ]
    rows = {one.sku: one for one in Product.objects.all()}
    assert {sku: (one.version, one.active) for sku, one in rows.items()} == {
        "A": (2, True),
        "B": (1, True),
        "C": (1, False),
    }
    assert (rows["A"].category_id, rows["C"].attributes) == (tea.pk, {"colour": "red"})
    assert [one["id"] for one in again["results"][:3]] == [
        str(rows[sku].public_id) for sku in "ABC"
    ]
    assert StockItem.objects.count() == 3
    prices = PriceChange.objects.filter(product=rows["A"]).order_by("pk")
    assert [(one.before and str(one.before.amount), str(one.after.amount)) for one in prices] == [
        (None, "4.50"),
        ("4.50", "5.00"),
    ]
    notes = StaffChange.objects.using("catalog").order_by("pk")
    assert [(one.action, one.after.get("sku")) for one in notes if one.action == "create"] == [
        ("create", sku) for sku in "ABC"
    ]
    [change] = [one for one in notes if one.action == "change"]
    assert (change.before, change.after) == ({"price": "4.50 GBP"}, {"price": "5.00 GBP"})


@pytest.mark.parametrize(
    ("bad", "errors"),
    [
        ({"sku": "X"}, [("name", "required"), ("price", "required")]),
        ({"name": "No sku"}, [("sku", "required")]),
        (item("X", colour="red"), [("colour", "unknown_field")]),
        (item("X", price={"amount": "-1.00", "currency": "GBP"}), [("price.amount", "min_value")]),
        (item("X", price={"amount": "1.00", "currency": "JPY"}), [("price.currency", None)]),
        (item("X", category="nowhere"), [("category", "does_not_exist")]),
        (item("X", slug="Not a slug"), [("slug", "invalid")]),
        (item("X", slug="old"), [("slug", "taken")]),
        (item("X", slug="good"), [("slug", "taken")]),
        (item("X", version=1), [("version", "version_conflict")]),
        (item("OLD", version=7), [("version", "version_conflict")]),
        (item("GOOD", name="Again"), [("sku", "duplicate")]),
        (item("X", name="x" * 201), [("name", "max_length")]),
        (item("X", active="yes"), [("active", "invalid")]),
    ],
)
def test_a_bad_item_is_named_and_hurts_no_other(bad, errors):
    shop.product(sku="OLD", name="Old")
    Product.objects.filter(sku="OLD").update(slug="old")
    answer = send(item("GOOD", slug="good"), bad, item("LAST"))
    good, refused, last = ends(answer)
    assert (good[1], refused[1], last[1]) == ("created", "error", "created")
    assert [field for field, _ in refused[2]] == [field for field, _ in errors]
    assert all(
        code in (None, given[1]) for (_, code), given in zip(errors, refused[2], strict=True)
    )
    assert set(Product.objects.values_list("sku", flat=True)) == {"OLD", "GOOD", "LAST"}
    assert Product.objects.get(sku="OLD").version == 1


def test_a_repeat_has_the_first_answer_and_no_second_effect():
    client = staff(*RIGHTS)
    first = send(item("A"), client=client)
    product = Product.objects.get()
    services.product_change(product_pk=product.pk, version=1, changes={"name": "Mine"})
    assert send(item("A"), client=client) == first
    assert Product.objects.get().name == "Mine"
    other = send(item("B"), client=client, status=422)
    assert other["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "items"),
        ({"items": []}, "items"),
        ({"items": [{}] * 1_001}, "items"),
        ({"items": [7]}, "items[0]"),
        ({"items": [], "dry": True}, "dry"),
    ],
)
def test_a_body_that_is_none_is_refused_whole(body, field):
    answer = staff(*RIGHTS).post(BULK, body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 400
    assert field in [one["field"] for one in answer.json()["errors"]]


def test_a_made_slug_gives_way_and_a_deleted_product_is_left_alone():
    send(item("A", name="Cup", slug="cup-b"))
    made = send(item("B", name="Cup"), key="k2")
    assert made["created"] == 1
    assert Product.objects.get(sku="B").slug.startswith("cup-b-")
    gone = Product.objects.get(sku="A")
    services.product_delete(product_pk=gone.pk)
    assert send(item("A", name="New"), key="k3")["created"] == 1
    assert Product.deleted_objects.get().name == "Cup"


def test_the_number_of_queries_does_not_grow_with_the_items():
    client = staff(*RIGHTS)
    counts = []
    for n in (2, 200):
        rows = [item(f"{n}-{i}") for i in range(n)]
        changed = [one | {"name": "Other"} for one in rows[::2]]
        with CaptureQueriesContext(connections["catalog"]) as queries:
            send(*rows, key=f"a{n}", client=client)
            send(*changed, key=f"b{n}", client=client)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("rights", [(), ("add_product",), ("change_product",)])
def test_both_permissions_are_needed(rights):
    answer = send(item("A"), client=staff(*rights), status=403)
    assert answer["code"] == "permission_denied"
    assert not Product.objects.exists()
