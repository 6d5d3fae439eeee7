"""Real events in the outbox of ``orders``, as many as are wanted: those of orders that the shop
carried out, again and again under ids of their own."""

from typing import Any

from bench.sagas.accepting import accept
from bench.sagas.draining import wait_until_ended
from bench.shop import Shop

TOPICS = "('order', 'payment', 'shipment')"
TEMPLATE = f"""
    CREATE TABLE bench_event AS
    SELECT id, topic, aggregate, aggregate_version, schema_version, payload, headers
    FROM messaging_outbox WHERE split_part(topic, '.', 1) IN {TOPICS} ORDER BY id
"""
FILL = """
    INSERT INTO messaging_outbox
        (event_id, topic, aggregate, aggregate_version, schema_version, payload, headers,
         published_at)
    SELECT uuidv7(), topic, aggregate, aggregate_version, schema_version, payload, headers, %s
    FROM generate_series(1, %s) AS round, bench_event ORDER BY round, id LIMIT %s
"""
DATABASES = ("customers", "catalog", "orders", "reporting")


def prepare(shop: Shop, orders: int) -> int:
    """Carries out ``orders`` and keeps their events as templates; how many those are."""
    with shop.workers(), shop.connect("orders") as connection:
        accept(shop, orders, prefix="template", products=len(shop.products))
        wait_until_ended(connection)
        connection.execute(TEMPLATE)
        return templates(connection)


def templates(connection: Any) -> int:
    return connection.execute("SELECT count(*) FROM bench_event").fetchone()[0]


def fill(connection: Any, count: int, *, published: bool = False) -> None:
    """Appends ``count`` events; ``published``: as if the relay had seen to them already."""
    at = connection.execute("SELECT now()").fetchone()[0] if published else None
    rounds = -(-count // templates(connection))
    connection.execute(FILL, [at, rounds, count])


def settle(shop: Shop) -> None:
    """Nothing waits in any outbox any more."""
    for name in DATABASES:
        with shop.connect(name) as connection:
            connection.execute(
                "UPDATE messaging_outbox SET published_at = now() WHERE published_at IS NULL"
            )


def waiting(shop: Shop) -> int:
    """How many events wait for the relay."""
    count = 0
    for name in DATABASES:
        with shop.connect(name) as connection:
            query = "SELECT count(*) FROM messaging_outbox WHERE published_at IS NULL"
            count += connection.execute(query).fetchone()[0]
    return count
