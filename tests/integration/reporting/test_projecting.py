"""Events become rows: the same rows, in whatever order they come and however often."""

import random
from decimal import Decimal as D
from functools import cache

import pytest
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.common.databases import fetch_all
from apps.common.ids import new_id
from apps.messaging.contracts import Received
from apps.payments import event_contracts as payments
from apps.reporting.enums import DATABASE, NOWHERE, REST
from apps.reporting.models import OrderView, OrderViewLine
from apps.shipping import event_contracts as shipping
from tests.integration.reporting.told import (
    AnOrder,
    apply,
    category,
    customer,
    product,
    sales,
    tables,
)

pytestmark = pytest.mark.django_db(databases=[DATABASE])
ANN, MUG, CUP, KITCHEN, GARDEN = (new_id() for _ in range(5))


def names() -> list[Received]:
    return [
        customer(ANN, "Ann"),
        category(KITCHEN, "Kitchen"),
        product(MUG, "Mug", KITCHEN),
        product(CUP, "Cup", None),
    ]


def an_order(**more) -> AnOrder:
    return AnOrder(ANN, [(MUG, "4.20", 2), (CUP, "1.10", 3)], shipping="3.00", **more)


def test_an_order_is_shown_with_the_names_of_its_customer_and_its_sums():
    order = an_order(country="FR")
    apply([*names(), *order.life()])

    view = OrderView.objects.get()
    assert (view.customer_name, view.customer_email) == ("Ann", "ann@example.org")
    assert (view.status, view.payment_status, view.fulfillment_status) == (
        "delivered", "captured", "delivered",
    )  # fmt: skip
    assert (view.item_count, view.subtotal, view.shipping, view.total) == (
        5, D("11.70"), D("3.00"), D("14.70"),
    )  # fmt: skip
    assert (view.status_display, view.country, view.order_version) == ("Delivered", "FR", 8)
    lines = OrderViewLine.objects.order_by("position")
    assert [(one.name, one.quantity, one.category_id) for one in lines] == [
        ("Thing 0", 2, KITCHEN),
        ("Thing 1", 3, None),
    ]


def test_a_day_is_counted_by_product_category_and_country():
    one, two = an_order(), AnOrder(ANN, [(MUG, "4.00", 1), (MUG, "4.20", 1)], country="FR")
    apply([*names(), *one.life(), *two.life(), an_order().placed()])

    nothing = D("0.00")
    assert sales("product") == {
        str(MUG): (2, 4, D("16.60"), nothing),
        str(CUP): (1, 3, D("3.30"), nothing),
        REST: (0, 0, D("3.00"), nothing),
    }
    assert sales("category") == {
        str(KITCHEN): (2, 4, D("16.60"), nothing),
        NOWHERE: (1, 3, D("3.30"), nothing),
        REST: (0, 0, D("3.00"), nothing),
    }
    assert sales("country") == {
        "GB": (1, 5, D("14.70"), nothing),
        "FR": (1, 2, D("8.20"), nothing),
    }


def test_what_comes_back_counts_for_its_goods_and_the_rest_for_none():
    order = an_order()
    apply([*names(), *order.life()])
    apply([order.returned("4.20", (0, 1)), order.paid(payments.PAYMENT_REFUNDED, part=True)])
    view = OrderView.objects.get()
    assert (view.refunded, view.payment_status) == (D("4.20"), "partially_refunded")
    assert view.status_display == "Delivered, partly refunded"

    apply([order.returned("10.50", (1, 3)), order.paid(payments.PAYMENT_REFUNDED, part=True)])
    view.refresh_from_db()
    assert (view.payment_status, view.status_display) == ("refunded", "Returned, refunded")
    assert {key: row[3] for key, row in sales("product").items()} == {
        str(MUG): D("4.20"),
        str(CUP): D("3.30"),
        REST: D("7.20"),
    }
    assert sales("country") == {"GB": (1, 5, D("14.70"), D("14.70"))}


def test_a_cancelled_order_is_no_sale_and_leaves_no_cell():
    order = an_order()
    apply([*names(), order.placed(), order.confirmed()])
    assert sales("country") == {"GB": (1, 5, D("14.70"), D("0.00"))}

    apply([order.paid(payments.PAYMENT_VOIDED), order.cancelled()])

    assert [sales(one) for one in ("product", "category", "country")] == [{}, {}, {}]
    assert OrderView.objects.get().status_display == "Cancelled"


def test_a_product_that_moves_takes_its_sales_along():
    order = an_order()
    apply([*names(), *order.life(), category(GARDEN, "Garden")])
    apply([product(MUG, "Mug", GARDEN, version=2), product(CUP, "Cup", GARDEN, version=2)])

    assert sales("category") == {
        str(GARDEN): (1, 5, D("11.70"), D("0.00")),
        REST: (0, 0, D("3.00"), D("0.00")),
    }


def test_an_older_name_that_comes_late_changes_nothing():
    order = an_order()
    apply([*names(), *order.life(), customer(ANN, "Anna", version=3)])
    before = tables()
    apply([customer(ANN, "Ann", version=2), product(MUG, "Jug", GARDEN, version=1)])

    assert tables() == before
    assert OrderView.objects.get().customer_name == "Anna"


def test_an_older_state_that_comes_late_changes_nothing():
    """The version guard: see tests/concurrency/test_sabotage.py."""
    order = an_order()
    life = order.life()
    apply([*names(), *life])
    before = tables()
    for late in life:
        apply([late])

    assert tables() == before


def test_a_batch_of_any_size_takes_as_many_statements():
    apply([*names(), *an_order().life()])
    counts = []
    for size in (1, 20):
        events = [event for _ in range(size) for event in an_order().life()]
        with CaptureQueriesContext(connections[DATABASE]) as queries:
            apply([*names(), *events])
        counts.append(len(queries))

    assert counts[0] == counts[1] <= 20


def test_without_its_first_event_an_order_is_in_no_figure():
    order = an_order()
    life = order.life()
    apply(life[1:])

    view = OrderView.objects.get()
    assert (view.placed_at, view.status, view.sold) == (None, "delivered", False)
    assert sales("country") == {}
    apply(life[:1])
    assert sales("country") == {"GB": (1, 5, D("14.70"), D("0.00"))}


def history() -> list[Received]:
    """Some days of a shop: every kind of event, in the order in which it happened."""
    bob = new_id()
    sold, back, gone, lost = (
        AnOrder(ANN, [(MUG, "4.20", 2), (CUP, "1.10", 3), (MUG, "4.00", 1)], shipping="3.00"),
        AnOrder(bob, [(MUG, "4.20", 1)], country="FR"),
        AnOrder(bob, [(CUP, "1.10", 7)]),
        AnOrder(ANN, [(CUP, "1.10", 1)]),
    )
    return [
        *names(),
        *sold.life(),
        customer(bob, "Bob"),
        *back.life()[:7],
        product(MUG, "Big mug", GARDEN, version=2),
        *(gone.placed(), gone.paid(payments.PAYMENT_AUTHORIZED), gone.confirmed()),
        *(gone.paid(payments.PAYMENT_VOIDED), gone.parcel(shipping.SHIPMENT_CANCELLED, 9)),
        *(gone.cancelled(), lost.placed()),
        *(back.returned("4.20", (0, 1)), back.paid(payments.PAYMENT_REFUNDED, part=True)),
        *(sold.returned("1.10", (1, 1)), sold.returned("0.50")),
        customer(ANN, "Anna", version=2),
        category(KITCHEN, "Cuisine", version=4),
        product(CUP, "Cup", KITCHEN, version=2),
    ]


HISTORY = history()


def rows_after(batches: list[list[Received]]) -> dict[str, list[tuple]]:
    with transaction.atomic(using=DATABASE):
        for batch in batches:
            apply(batch)
        rows = tables()
        transaction.set_rollback(True, using=DATABASE)
    return rows


@cache
def rows_in_order() -> dict[str, list[tuple]]:
    return rows_after([HISTORY])


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), most=st.sampled_from([1, 2, 5, 40]))
def test_any_order_of_arrival_with_repeats_ends_in_the_same_tables(seed, most):
    mixed = random.Random(seed)
    events = HISTORY + mixed.choices(HISTORY, k=mixed.randint(0, 15))
    mixed.shuffle(events)
    batches = []
    while events:
        size = mixed.randint(1, most)
        batches.append(events[:size])
        events = events[size:]

    assert rows_after(batches) == rows_in_order()


def test_the_daily_sales_are_what_the_orders_say():
    """The sums of every dimension, and the orders' own, are one."""
    apply(HISTORY)

    [own] = fetch_all(
        DATABASE,
        "SELECT count(*), sum(item_count), sum(total), sum(refunded) FROM reporting_orderview"
        " WHERE sold",
    )
    assert own == (2, 7, D("22.90"), D("5.80"))
    for dimension in ("product", "category", "country"):
        sums = [sum(column) for column in zip(*sales(dimension).values(), strict=True)]
        assert tuple(sums[1:]) == own[1:]
