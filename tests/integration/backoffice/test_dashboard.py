"""The first page: what is going on, as far as the person may see it."""

import json
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from moneyed import Money

from apps.catalog import facade as catalog
from apps.catalog.contracts import ImportProduct, ReceiveStock
from apps.catalog.engagement import counting, recording
from apps.catalog.engagement.sales import Note
from apps.catalog.engagement.visitors import Visitor
from apps.common.databases import execute
from apps.common.ids import new_id
from apps.customers.models import User
from apps.orders.audit.models import AuditRun
from apps.payments.models import MoneyDiscrepancy
from apps.sagas.models import SagaRun
from tests.integration.catalog.engagement.clean import forget_all

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))


@pytest.fixture(autouse=True)
def _nothing_looked_at():
    forget_all()
    yield
    forget_all()


def orders(count: int, *, at: datetime | None = None, **values) -> None:
    row = {
        "status": "confirmed",
        "payment_status": "captured",
        "currency": "GBP",
        "spread": 0,
    } | values
    execute(
        "orders",
        """
        INSERT INTO orders_order (id, customer_id, status, payment_status, fulfillment_status,
            version, currency, goods_total, shipping_total, total, address, saga_id, placed_at)
        SELECT gen_random_uuid(), gen_random_uuid(), %s, %s, 'scheduled', 1, %s, 10, 2.5, 12.5,
               '{}', gen_random_uuid(), %s - (n %% (%s + 1)) * interval '1 day'
        FROM generate_series(1, %s) AS n
        """,
        [
            *(row["status"], row["payment_status"], row["currency"]),
            *(at or timezone.now(), row["spread"], count),
        ],
    )


def run(status: str, age: timedelta) -> SagaRun:
    return SagaRun.objects.create(
        id=new_id(),
        kind="checkout",
        kind_version=1,
        business_key=str(new_id()),
        status=status,
        position=1,
        step="reserve_stock",
        created_at=timezone.now() - age,
    )


def tiles(client) -> dict:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return answer.context["tiles"]


def test_days_are_counted_in_utc_and_only_paid_orders_are_revenue(staff):
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    moment = timedelta(microseconds=1)
    orders(2)
    orders(1, payment_status="declined", status="cancelled")
    orders(1, at=midnight - moment)
    orders(5, at=midnight - timedelta(days=29) - moment)  # too long ago
    orders(1, currency="EUR")

    found = tiles(staff)["days"]
    assert found["orders"] == 5
    assert found["revenue"] == [("EUR", "12.50"), ("GBP", "37.50")]
    today, yesterday, *rest = found["rows"]
    assert today == (midnight.date(), 4, ["12.50", "25.00"])
    assert yesterday == ((midnight - timedelta(days=1)).date(), 1, ["0.00", "12.50"])
    assert {row[1] for row in rest} == {0}
    assert len(found["rows"]) == 30
    chart = json.loads(found["orders_chart"])
    assert chart["datasets"][0]["data"][-2:] == [1, 4]
    assert len(chart["labels"]) == 30


def test_the_states_are_counted_and_lead_to_their_orders(staff):
    orders(3)
    orders(1, status="pending", payment_status="not_paid")

    rows = {label: (count, link) for label, count, link in tiles(staff)["states"]["rows"]}
    assert {label: count for label, (count, _) in rows.items()} == {
        "Pending": 1,
        "Confirmed": 3,
        "Shipped": 0,
        "Delivered": 0,
        "Cancelled": 0,
    }
    assert staff.get(rows["Confirmed"][1]).context["cl"].result_count == 3


def test_what_runs_out_is_listed_scarcest_first(staff, settings):
    settings.LOW_STOCK_BELOW = 3
    ids = catalog.import_products(
        [ImportProduct(sku, sku, Money("1.00", "GBP")) for sku in ("A", "B", "C")]
    )
    catalog.receive_stock([ReceiveStock("r", ids["A"], 2), ReceiveStock("r", ids["C"], 3)])

    found = tiles(staff)["stock"]
    assert found["count"] == 2
    assert [(one.sku, one.available) for one, _ in found["rows"]] == [("B", 0), ("A", 2)]
    assert staff.get(found["rows"][0][1]).context["cl"].result_count == 1


def test_parked_and_slow_sagas_are_named(staff):
    parked = run("failed", timedelta(minutes=1))
    slow = run("in_progress", timedelta(minutes=5))
    run("in_progress", timedelta(seconds=5))
    run("completed", timedelta(days=5))

    found = tiles(staff)["sagas"]
    assert (found["parked"], found["slow"]) == (1, 1)
    assert [one.run_id for one, _ in found["rows"]] == [parked.id, slow.id]
    assert [staff.get(link).status_code for _, link in found["rows"]] == [200, 200]


def test_money_that_wants_a_person_is_named(staff):
    assert tiles(staff)["money"]["count"] == 0
    for number, state in enumerate(("open", "mended", "open")):
        MoneyDiscrepancy.objects.create(
            kind="unknown_refund", state=state, reference=str(number), detail="by hand"
        )
    found = tiles(staff)["money"]
    assert (found["count"], [label for label, _, _ in found["rows"]]) == (
        2,
        ["Refund unknown to our ledger"] * 2,
    )
    assert staff.get(found["link"]).context["cl"].result_count == 2
    assert staff.get(found["rows"][0][2]).status_code == 200
    assert b"2 discrepancies" in staff.get("/admin/").content


def test_a_part_that_fails_is_named_and_does_not_hold_the_page_up(staff):
    found = tiles(staff)["parts"]

    assert ("gateway", "does not answer (URLError)") in found["rows"]
    assert "database orders" not in dict(found["rows"])


def test_the_last_audit_is_told(staff):
    assert tiles(staff)["audit"]["last"] is None
    AuditRun.objects.create(trigger="command", seconds=1, violations=2)
    assert tiles(staff)["audit"]["last"].violations == 2
    assert b"2 violations" in staff.get("/admin/").content


def test_a_person_sees_the_tiles_of_what_they_may_see():
    clerk = User.objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    client = Client()
    client.force_login(clerk)
    assert tiles(client) == {}
    clerk.user_permissions.set(Permission.objects.filter(codename="view_stockitem"))
    assert set(tiles(client)) == {"stock"}


def test_it_asks_as_often_for_many_orders_as_for_few(staff):
    # How long it takes with 100,000 of them is measured by `python -m bench pages`.
    queries = []
    for more in (1, 500):
        orders(more, spread=60)
        tiles(staff)  # the first page compiles its templates
        captures = [CaptureQueriesContext(connections[alias]) for alias in settings.DATABASES]
        for capture in captures:
            capture.__enter__()
        tiles(staff)
        for capture in captures:
            capture.__exit__(None, None, None)
        queries.append(sum(map(len, captures)))

    assert queries == [8, 8]


def test_what_is_looked_at_and_sold_most(staff):
    ids = catalog.import_products(
        [ImportProduct(sku, sku.title(), Money("1.00", "GBP")) for sku in ("TEA", "CUP")]
    )
    tea, cup = (ids[sku] for sku in ("TEA", "CUP"))
    recording.deliver([(str(one), Visitor(given="ann")) for one in [tea, tea, cup]])
    lines = ((tea.hex, 7), (cup.hex, 9))
    day = int(counting.clock() // 86_400)
    counting.count([Note(str(new_id()), day, 1, lines, True)], read=counting.clock())
    found = tiles(staff)
    trending = [(one.sku, round(one.count)) for one, _ in found["trending"]["rows"]]
    assert trending == [("TEA", 2), ("CUP", 1)]
    sellers = [(one.sku, one.count) for one, _ in found["sellers"]["rows"]]
    assert sellers == [("CUP", 9), ("TEA", 7)]
    [_, link] = found["sellers"]["rows"][0]
    assert staff.get(link).context["cl"].result_count == 1
