"""What a million finished runs cost: the same drainings before and after.

The rows are copies of what real checkouts left in every table of both databases, under new ids, so
that they are whole orders with runs, steps, payments, shipments, events, reservations and ledgers.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg

from bench.sagas.draining import drain
from bench.sagas.screen import Progress
from bench.shop import Shop

TEMPLATES, CHUNK = 1_000, 50_000
FINISHED = "SELECT count(*) FROM sagas_sagarun WHERE kind = 'checkout' AND status = 'completed'"
PICK = """
    CREATE TEMP TABLE template AS
    SELECT run.id AS run, run.business_key::uuid AS orders, payment.id AS payment
    FROM sagas_sagarun run JOIN payments_payment payment ON payment.order_id::text = business_key
    WHERE kind = 'checkout' AND status = 'completed' ORDER BY run.id LIMIT %s
"""
# As old as goods that have been delivered long ago; in the order of their ids, as they came.
MULTIPLY = """
    INSERT INTO grown
    SELECT run, orders, payment, uuidv7(interval '-30 days'), uuidv7(interval '-30 days'),
        uuidv7(interval '-30 days'), %(first)s + row_number() OVER ()
    FROM template, generate_series(1, %(copies)s)
"""
GROWN = """
    CREATE TEMP TABLE grown (
        old_run uuid, old_order uuid, old_payment uuid,
        new_run uuid, new_order uuid, new_payment uuid, serial bigint
    )
"""
# PostgreSQL checks no foreign key and runs no trigger for who replays what was checked before.
QUICK = (
    "SET session_replication_role = replica; SET synchronous_commit = off; SET work_mem = '64MB'"
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table, how its rows belong to a template, and what is new in a copy of them."""

    name: str
    belongs: str
    renewed: Mapping[str, str]


def _renamed(column: str, *what: str) -> str:
    text = f"t.{column}::text"
    for one in what:
        text = f"replace({text}, g.old_{one}::text, g.new_{one}::text)"
    return text


ORDERS = (
    Table("orders_order", "t.id = g.old_order", {"id": "g.new_order", "saga_id": "g.new_run"}),
    Table("orders_orderline", "t.order_id = g.old_order", {"order_id": "g.new_order"}),
    Table(
        "payments_payment",
        "t.id = g.old_payment",
        {"id": "g.new_payment", "order_id": "g.new_order"},
    ),
    Table(
        "payments_paymententry",
        "t.payment_id = g.old_payment",
        {
            "payment_id": "g.new_payment",
            "idempotency_key": _renamed("idempotency_key", "payment"),
        },
    ),
    Table(
        "shipping_shipment",
        "t.order_id = g.old_order",
        {
            "id": "uuidv7()",
            "order_id": "g.new_order",
            "tracking_number": "'HF' || lpad(g.serial::text, 24, '0')",
        },
    ),
    Table(
        "sagas_sagarun",
        "t.id = g.old_run",
        {"id": "g.new_run", "business_key": "g.new_order::text"},
    ),
    Table("sagas_sagastep", "t.run_id = g.old_run", {"run_id": "g.new_run"}),
    Table("sagas_sagalogentry", "t.run_id = g.old_run", {"run_id": "g.new_run"}),
    Table(
        "messaging_outbox",
        "t.aggregate = 'order:' || g.old_order",
        {
            "event_id": "uuidv7()",
            "aggregate": "'order:' || g.new_order",
            "payload": f"{_renamed('payload', 'order')}::jsonb",
        },
    ),
    Table(
        "messaging_idempotencyrecord",
        "t.response ->> 'order_id' = g.old_order::text",
        {
            "key": "'grown-' || g.serial",
            "response": f"{_renamed('response', 'order', 'run')}::jsonb",
        },
    ),
)
CATALOG = (
    Table("catalog_reservation", "t.order_id = g.old_order", {"order_id": "g.new_order"}),
    Table(
        "catalog_stockledgerentry",
        "t.order_id = g.old_order",
        {"order_id": "g.new_order", "reference": _renamed("reference", "run")},
    ),
    Table(
        "messaging_inbox",
        "split_part(t.message_id, ':', 1) = g.old_run::text",
        {"message_id": _renamed("message_id", "run")},
    ),
)
RESERVED = """
    UPDATE catalog_stockitem item SET reserved = live.pieces
    FROM (SELECT product_id, sum(quantity) AS pieces FROM catalog_reservation
          WHERE status = 'live' GROUP BY product_id) live
    WHERE item.product_id = live.product_id
"""


def drains(shop: Shop, name: str, runs: int, rounds: int, progress: Progress) -> list[float]:
    """The rates of some drainings on what there is."""
    rates = []
    for number in range(rounds):
        done = drain(shop, runs, prefix=f"growth-{name}-{number}")
        progress.drained(f"{name} tables", done)
        rates.append(done.per_second)
    return rates


def grow(shop: Shop, finished: int, progress: Progress) -> int:
    """Fills both databases until ``finished`` checkouts have ended; how many there are."""
    with shop.connect("orders") as orders, shop.connect("catalog") as catalog:
        there = orders.execute(FINISHED).fetchone()[0]
        for connection in (orders, catalog):
            connection.execute(QUICK)
            connection.execute(GROWN)
        orders.execute(PICK, [TEMPLATES])
        [templates] = orders.execute("SELECT count(*) FROM template").fetchone()
        orders.execute(MULTIPLY, {"first": 0, "copies": 1})
        _hand_over(orders, catalog)
        for connection, tables in ((orders, ORDERS), (catalog, CATALOG)):
            _keep_templates(connection, tables)
        while there < finished:
            copies = -(-min(CHUNK, finished - there) // templates)
            orders.execute("TRUNCATE grown")
            orders.execute(MULTIPLY, {"first": there, "copies": copies})
            _hand_over(orders, catalog)
            for connection, tables in ((orders, ORDERS), (catalog, CATALOG)):
                for table in tables:
                    _multiply(connection, table)
            there += copies * templates
            progress.say(f"filling: {there:,} of {finished:,} finished runs")
        catalog.execute(RESERVED)
        for connection, tables in ((orders, ORDERS), (catalog, CATALOG)):
            # What autovacuum does in a while.
            connection.execute(f"VACUUM (ANALYZE) {', '.join(one.name for one in tables)}")
        orders.execute("CHECKPOINT")
        return there


def _hand_over(orders: psycopg.Connection, catalog: psycopg.Connection) -> None:
    """The same ids on the other side."""
    catalog.execute("TRUNCATE grown")
    with (
        orders.cursor().copy("COPY grown TO STDOUT") as out,
        catalog.cursor().copy("COPY grown FROM STDIN") as into,
    ):
        for data in out:
            into.write(data)


def _keep_templates(connection: psycopg.Connection, tables: tuple[Table, ...]) -> None:
    for table in tables:
        connection.execute(
            f"CREATE TEMP TABLE kept_{table.name} AS"
            f" SELECT t.* FROM {table.name} t JOIN grown g ON {table.belongs}"
        )
        connection.execute(f"ANALYZE kept_{table.name}")


def _multiply(connection: psycopg.Connection, table: Table) -> None:
    rows = connection.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name = %s AND is_identity = 'NO' AND is_generated = 'NEVER'",
        [table.name],
    )
    columns = [row[0] for row in rows]
    values = [table.renewed.get(column, f't."{column}"') for column in columns]
    names = ", ".join(f'"{column}"' for column in columns)
    connection.execute(
        f"INSERT INTO {table.name} ({names}) SELECT {', '.join(values)}"
        f" FROM kept_{table.name} t JOIN grown g ON {table.belongs}"
    )


def facts(empty: list[float], full: list[float], finished: int) -> dict[str, Any]:
    """The rates before and after, and how they compare."""
    before, after = statistics.median(empty), statistics.median(full)
    return {
        "finished_runs": finished,
        "empty_per_second": round(before, 1),
        "full_per_second": round(after, 1),
        "ratio": round(after / before, 3),
    }
