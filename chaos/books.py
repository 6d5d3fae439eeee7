"""The invariants of a shop at rest, read with plain SQL and from the gateway's own record.

``manage.py audit`` asks the product's own code; this asks the tables, so that one does not judge
itself. Amounts are hundredths.
"""

from collections import Counter
from collections.abc import Iterator
from uuid import UUID

import psycopg
import urllib3

from project import env

ENDED = ("completed", "compensated", "failed")
SOLD = ("confirmed", "shipped", "delivered")


def connect(database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=str(env.PLACES.postgres_sockets), user="holdfast", dbname=database,
        connect_timeout=2, autocommit=True, application_name="chaos",
    )  # fmt: skip


def rows(database: str, query: str, *params) -> list[tuple]:
    with connect(database) as connection:
        return connection.execute(query, params or None).fetchall()


def runs_by_status() -> Counter[str]:
    return Counter(
        dict(rows("orders", "SELECT status, count(*) FROM sagas_sagarun GROUP BY status"))
    )


def live_runs() -> list[tuple]:
    """Runs that have not ended, with what they wait for."""
    return rows(
        "orders",
        "SELECT kind, business_key, status, step, attempt, claims, error_code, error_detail,"
        " round(extract(epoch FROM next_run_at - clock_timestamp())::numeric, 1)"
        " FROM sagas_sagarun WHERE status <> ALL(%s) ORDER BY next_run_at",
        list(ENDED),
    )


def parked_runs() -> list[tuple]:
    return rows(
        "orders",
        "SELECT kind, business_key, step, error_code, error_detail FROM sagas_sagarun"
        " WHERE status = 'failed'",
    )


def gateway_payments() -> dict[UUID, dict]:
    """The gateway's own record, by our reference."""
    url, found, after = f"http://127.0.0.1:{env.GATEWAY_PORT}/v1/payments", {}, 0
    while after is not None:
        page = urllib3.request("GET", f"{url}?after={after}&limit=1000", timeout=20).json()
        found |= {UUID(one["reference"]): one for one in page["payments"]}
        after = page["next"]
    return found


def violations(accepted: dict[UUID, str]) -> Iterator[str]:
    """What is wrong; ``accepted``: every order that a client has an answer for, with its key."""
    orders = {
        row[0]: row[1:]
        for row in rows(
            "orders",
            "SELECT id, status, (total * 100)::bigint, (returned_total * 100)::bigint"
            " FROM orders_order",
        )
    }
    for order_id in accepted.keys() - orders.keys():
        yield f"order {order_id} ({accepted[order_id]}) was accepted and does not exist"
    for order_id in orders.keys() - accepted.keys():
        yield f"order {order_id} exists and nobody was told of it"
    if len(set(accepted.values())) != len(accepted):
        yield "one key has two orders"
    yield from _money(orders)
    yield from _stock(orders)
    yield from _parcels(orders)
    yield from _events(orders)
    yield from _leases()


def _money(orders: dict[UUID, tuple]) -> Iterator[str]:
    payments = dict(rows("orders", "SELECT id, order_id FROM payments_payment"))
    net: Counter[UUID] = Counter()
    for reference, record in gateway_payments().items():
        order_id = payments.get(reference)
        if order_id not in orders:
            yield f"the gateway has payment {reference} of no order"
            continue
        captured, refunded = (
            round(float(record[name]["amount"]) * 100) for name in ("captured", "refunded")
        )
        net[order_id] += captured - refunded
        if record["captures"] > 1:
            yield f"order {order_id} was captured {record['captures']} times"
        if orders[order_id][0] == "cancelled" and record["status"] in ("authorized", "captured"):
            yield f"order {order_id} is cancelled, its payment {record['status']}"
    for order_id, (status, total, returned) in orders.items():
        due = total - returned if status in SOLD else 0
        if net[order_id] != due:
            yield f"order {order_id} is {status}: {net[order_id]} kept, {due} due"


def _stock(orders: dict[UUID, tuple]) -> Iterator[str]:
    wrong = rows(
        "catalog",
        """
        SELECT item.product_id, item.on_hand, item.reserved, held.pieces, book.on_hand
        FROM catalog_stockitem AS item
        LEFT JOIN (SELECT product_id, sum(quantity) AS pieces FROM catalog_reservation
                   WHERE status = 'live' GROUP BY product_id) AS held USING (product_id)
        LEFT JOIN (SELECT product_id, sum(delta_on_hand) AS on_hand,
                          sum(delta_reserved) AS reserved
                   FROM catalog_stockledgerentry GROUP BY product_id) AS book USING (product_id)
        WHERE item.reserved NOT BETWEEN 0 AND item.on_hand
           OR item.reserved <> coalesce(held.pieces, 0)
           OR item.on_hand <> coalesce(book.on_hand, 0)
           OR item.reserved <> coalesce(book.reserved, 0)
        """,
    )
    for product, on_hand, reserved, held, book in wrong:
        yield f"product {product}: {on_hand} on hand (book {book}), {reserved} reserved ({held})"
    pieces = dict(
        rows("orders", "SELECT order_id, sum(quantity) FROM orders_orderline GROUP BY order_id")
    )
    held = dict(
        rows(
            "catalog",
            "SELECT order_id, sum(quantity) FROM catalog_reservation WHERE status = 'live'"
            " GROUP BY order_id",
        )
    )
    sold = dict(
        rows(
            "catalog",
            "SELECT order_id, -sum(delta_on_hand) FROM catalog_stockledgerentry"
            " WHERE kind = 'sold' GROUP BY order_id",
        )
    )
    for order_id, (status, *_) in orders.items():
        due = pieces[order_id] if status == "confirmed" else 0
        gone = pieces[order_id] if status in ("shipped", "delivered") else 0
        if held.pop(order_id, 0) != due:
            yield f"order {order_id} is {status} and does not hold {due} pieces"
        if sold.pop(order_id, 0) != gone:
            yield f"order {order_id} is {status} and its stock did not sell {gone} pieces"
    for order_id in held.keys() | sold.keys():
        yield f"stock was moved for order {order_id}, which does not exist"


def _parcels(orders: dict[UUID, tuple]) -> Iterator[str]:
    parcels = rows("orders", "SELECT order_id, status FROM shipping_shipment")
    going = Counter(
        order_id for order_id, status in parcels if status not in ("cancelled", "failed")
    )
    for order_id, (status, *_) in orders.items():
        if going[order_id] != (status in SOLD):
            yield f"order {order_id} is {status} and has {going[order_id]} parcels"


def _events(orders: dict[UUID, tuple]) -> Iterator[str]:
    """Each thing that became of an order was told once."""
    told = Counter(
        rows(
            "orders",
            "SELECT substr(aggregate, 7), topic FROM messaging_outbox"
            " WHERE aggregate LIKE 'order:%' AND topic <> 'order.returned'",
        )
    )
    for (order_id, topic), times in told.items():
        if times > 1:
            yield f"{topic} of order {order_id} was told {times} times"
    for order_id, (status, *_) in orders.items():
        topic = "order.placed" if status == "pending" else f"order.{status}"
        for one in {topic, "order.placed"}:
            if (str(order_id), one) not in told:
                yield f"order {order_id} is {status}, and {one} was not told"


def _leases() -> Iterator[str]:
    held = rows("orders", "SELECT count(*) FROM sagas_sagarun WHERE lease_token <> 0")[0][0]
    if held:
        yield f"{held} runs are at rest and still held under a lease"
