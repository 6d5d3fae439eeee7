"""Stock and prices over HTTP, for staff."""

from uuid import uuid4

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from moneyed import Money

from apps.catalog import facade, services
from apps.catalog.models import Product, StockLedgerEntry
from apps.messaging.models import StaffChange
from tests.integration.catalog import shop
from tests.integration.catalog.people import staff

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])


def address(public_id, what: str) -> str:
    return f"/api/v1/products/{public_id}/{what}"


def adjust(client, public_id, body: dict, key: str = "k", status: int = 200) -> dict:
    answer = client.post(
        address(public_id, "stock-adjustments"), body, headers={"Idempotency-Key": key}
    )
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_count_is_corrected_once_per_key_with_a_reason():
    cup = shop.product(10)
    facade.reserve_stock([shop.reserve((cup, 4))])
    client = staff("adjust_stock")
    body = {"delta": -3, "reason": "Broken"}
    expected = {"product_id": str(cup), "on_hand": 7, "reserved": 4, "available": 3}
    for _ in range(2):
        assert adjust(client, cup, body) == expected
    assert shop.levels(cup) == (7, 4)
    entry = StockLedgerEntry.objects.get(kind="adjusted")
    assert (entry.reason, entry.reference, entry.actor[:6]) == ("Broken", "k", "staff:")
    [note] = StaffChange.objects.using("catalog")
    assert (note.action, note.subject_id, note.before, note.after) == (
        "adjust_stock",
        str(cup),
        {"on_hand": 10},
        {"on_hand": 7, "reason": "Broken"},
    )
    assert adjust(client, cup, body | {"delta": -2}, status=422)["code"] == "idempotency_key_reused"
    refused = adjust(client, cup, body | {"delta": -4}, key="k2", status=409)
    assert (refused["code"], refused["reserved"]) == ("below_reserved", 4)
    assert adjust(client, uuid4(), body, key="k3", status=404)["code"] == "not_found"
    assert shop.levels(cup) == (7, 4)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"delta": 1}, "reason"),
        ({"delta": 0, "reason": "x"}, "delta"),
        ({"delta": "1", "reason": "x"}, "delta"),
        ({"delta": 1.5, "reason": "x"}, "delta"),
        ({"delta": 10**10, "reason": "x"}, "delta"),
        ({"delta": 1, "reason": " "}, "reason"),
        ({"delta": 1, "reason": "x" * 201}, "reason"),
        ({"delta": 1, "reason": "x", "on_hand": 5}, "on_hand"),
    ],
)
def test_an_adjustment_that_makes_no_sense_is_named(body, field):
    cup = shop.product(10)
    answer = adjust(staff("adjust_stock"), cup, body, status=400)
    assert [one["field"] for one in answer["errors"]] == [field]
    assert shop.levels(cup) == (10, 0)


def test_an_adjustment_needs_its_key():
    cup = shop.product(10)
    answer = staff("adjust_stock").post(
        address(cup, "stock-adjustments"), {"delta": 1, "reason": "x"}
    )
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert shop.levels(cup) == (10, 0)


def test_stock_and_ledger_are_shown_also_of_deleted_products():
    cup = shop.product(10)
    command = shop.reserve((cup, 4))
    facade.reserve_stock([command])
    services.product_delete(product_pk=Product.objects.get().pk)
    client = staff("view_stockitem", "view_stockledgerentry")
    assert client.get(address(cup, "stock")).json() == {
        "product_id": str(cup),
        "on_hand": 10,
        "reserved": 4,
        "available": 6,
    }
    page = client.get(address(cup, "stock-ledger") + "?limit=1").json()
    [newest] = page["results"]
    assert (newest["kind"], newest["delta_reserved"]) == ("reserved", 4)
    assert newest["order_id"] == str(command.order_id)
    [oldest] = client.get(page["next"]).json()["results"]
    assert (oldest["kind"], oldest["delta_on_hand"], oldest["order_id"]) == ("received", 10, None)
    for what in ("stock", "stock-ledger"):
        assert client.get(address(uuid4(), what)).status_code == 404


def test_the_history_of_prices_is_paged_newest_first():
    cup = shop.product(price=Money("4.20", "GBP"))
    product = Product.objects.get()
    for n in (1, 2):
        services.product_change(
            product_pk=product.pk, version=n, changes={"price": Money(n, "EUR")}
        )
    services.product_change(product_pk=product.pk, version=3, changes={"name": "Other"})
    client = staff("view_pricechange")
    page = client.get(address(cup, "prices") + "?limit=2").json()
    last = client.get(page["next"]).json()["results"]
    rows = [*page["results"], *last]
    assert [
        (one["before"] and one["before"]["amount"], one["after"]["amount"]) for one in rows
    ] == [
        ("1.00", "2.00"),
        ("4.20", "1.00"),
        (None, "4.20"),
    ]
    assert [(one["version"], one["actor"]) for one in rows] == [
        (3, "system"),
        (2, "system"),
        (1, "import"),
    ]


@pytest.mark.parametrize("what", ["stock-ledger", "prices"])
def test_a_history_costs_the_same_however_long_it_is(what):
    cup = shop.product(1)
    product = Product.objects.get()
    client = staff("view_stockledgerentry", "view_pricechange")
    counts = []
    for n in range(1, 12):
        version = Product.objects.get().version
        services.product_change(
            product_pk=product.pk, version=version, changes={"price": Money(n, "GBP")}
        )
        facade.reserve_stock([shop.reserve((cup, 1))])
        with CaptureQueriesContext(connections["catalog"]) as queries:
            assert client.get(address(cup, what)).status_code == 200
        counts.append(len(queries))
    assert set(counts) == {2}
