"""The saga benchmark's peers do the work of a checkout, and its filled shop is a real one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg
import pytest
from django.db import connections

from apps.common.databases import fetch_all
from apps.customers.models import User
from apps.orders import facade as orders
from bench.sagas import growth
from bench.sagas.peers import steps
from bench.sagas.peers.orders import accept
from bench.sagas.screen import Progress
from tests.trade import Trade, drive_all, violations

pytestmark = pytest.mark.django_db(databases="__all__", transaction=True)
# What a checkout leaves of an order, without ids, times and amounts.
LEFT = {
    "orders": (
        "SELECT status, payment_status, fulfillment_status, version FROM orders_order"
        " WHERE id = %(order)s::uuid",
        "SELECT operation, state, replace(idempotency_key, payment.id::text, ''), code, detail,"
        " gateway_reference FROM payments_paymententry entry"
        " JOIN payments_payment payment ON payment.id = payment_id"
        " WHERE order_id = %(order)s::uuid ORDER BY entry.id",
        "SELECT status, length(tracking_number) FROM shipping_shipment"
        " WHERE order_id = %(order)s::uuid",
        "SELECT topic, aggregate_version, schema_version, payload -> 'total' -> 'currency',"
        " headers, (SELECT array_agg(key) FROM jsonb_object_keys(payload) AS key)"
        " FROM messaging_outbox WHERE aggregate = 'order:' || %(order)s"
        " AND topic <> 'order.placed'",
    ),
    "catalog": (
        "SELECT quantity, status FROM catalog_reservation WHERE order_id = %(order)s::uuid",
        "SELECT kind, delta_on_hand, delta_reserved, reason, actor FROM catalog_stockledgerentry"
        " WHERE order_id = %(order)s::uuid",
    ),
}


def left(order: object) -> list[list[tuple]]:
    rows = []
    for alias, queries in LEFT.items():
        with psycopg.connect(conninfo(alias)) as connection:
            rows += [connection.execute(one, {"order": str(order)}).fetchall() for one in queries]
    return rows


def conninfo(alias: str) -> str:
    known = connections[alias].settings_dict
    words = {name: known[name.upper()] for name in ("host", "port", "user", "password")}
    return psycopg.conninfo.make_conninfo(
        dbname=known["NAME"], **{name: value for name, value in words.items() if value}
    )


@dataclass
class Shop:
    """Where ``grow`` finds its databases."""

    def connect(self, alias: str) -> psycopg.Connection:
        return psycopg.connect(conninfo(alias), autocommit=True)


@pytest.fixture
def trade() -> Trade:
    made = Trade(skus=("MUG",), stock=60)
    User.objects.filter(public_id=made.customer_id).update(buys_on_account=True)
    return made


@pytest.fixture
def peers(monkeypatch) -> Iterator[None]:
    monkeypatch.setenv(steps.ORDERS, conninfo("orders"))
    monkeypatch.setenv(steps.CATALOG, conninfo("catalog"))
    steps.pool.cache_clear()
    yield
    for database in (steps.ORDERS, steps.CATALOG):
        steps.pool(database).close()
    steps.pool.cache_clear()


def check_out(trade: Trade):
    command = replace(trade.command(card=""), payment_method="account")
    return orders.place_order(command).order_id


def test_the_peers_steps_leave_the_rows_of_a_checkout(trade, peers):
    ours = check_out(trade)
    drive_all()
    [(product,)] = fetch_all("catalog", "SELECT product_id FROM catalog_stockitem")
    [(theirs, key)] = accept(conninfo("orders"), 1, [product])
    steps.authorize(theirs)
    steps.reserve(theirs, key)
    steps.schedule(theirs)
    steps.capture(theirs)
    steps.confirm(theirs)
    assert left(theirs) == left(ours)
    assert trade.levels()["MUG"] == (60, 2)
    with pytest.raises(RuntimeError, match="changed nothing"):
        steps.confirm(theirs)


def test_a_filled_shop_agrees_with_itself(trade, gateway):
    for _ in range(3):
        check_out(trade)
    drive_all()
    assert growth.grow(Shop(), 20, Progress()) == 21
    [(runs, keys)] = fetch_all(
        "orders", "SELECT count(*), count(DISTINCT business_key) FROM sagas_sagarun"
    )
    assert (runs, keys) == (21, 21)
    assert trade.levels()["MUG"] == (60, 21)
    assert violations() == {}
