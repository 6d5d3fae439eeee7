"""A year of orders to measure with: ``python -m bench data --orders 100000``.

Written by set SQL as the services would have left it: customers, orders with lines, the payment
ledger, shipments, saga runs with their steps, events, stored answers, reservations and stock
ledger. The audit finds nothing, but for its comparison with a gateway that never saw the payments.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench.fates import FATES, MONEY, ORDERS, RUNS, STEPS, values

CHUNK = 10_000
ORDERS_PER_CUSTOMER = 5
# The newest orders are on their way; see FATES.
CONFIRMED, SHIPPED = 0.03, 0.05

PEOPLE = """
    WITH made AS (
        INSERT INTO customers_user (password, is_superuser, deleted_by_cascade, public_id, email,
            name, is_active, is_staff, date_joined)
        SELECT '!' || md5(n::text), false, false, {new_id}, 'buyer-' || n || '@example.com',
               (%(names)s::text[])[1 + n %% 10] || ' Buyer ' || n, true, false,
               now() - make_interval(hours => n %% 9000)
        FROM generate_series(%(first)s, %(last)s) n RETURNING id, email, name
    ), letters AS (
        INSERT INTO account_emailaddress (email, verified, "primary", user_id)
        SELECT email, true, true, id FROM made
    )
    INSERT INTO customers_address (deleted_by_cascade, public_id, name, line1, line2, city, region,
        postal_code, country, is_default, user_id)
    SELECT false, {new_id}, name, id %% 200 || ' High Street', '', 'Ely', '', 'CB7 4DL', 'GB', true,
           id FROM made
"""
NAMES = ["Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal", "Ida", "Joe"]
# What each order is, before it is written to the tables.
STAGE = """
    CREATE TEMPORARY TABLE bench_order ON COMMIT DROP AS
    SELECT series.n, {new_id} AS id, {new_id} AS saga_id, {new_id} AS payment_id,
           people.public_id AS customer_id, people.name AS customer, 1 + series.n %% 4 AS lines,
           now() - make_interval(mins => 5 * (%(end)s - series.n)) AS at, CASE
               WHEN series.n %% 2500 = 7 THEN 'parked' WHEN series.n %% 20 = 0 THEN 'out_of_stock'
               WHEN series.n %% 20 = 1 THEN 'cancelled' WHEN series.n %% 20 = 2 THEN 'declined'
               WHEN series.n > %(end)s - %(confirmed)s THEN 'confirmed'
               WHEN series.n > %(end)s - %(shipped)s THEN 'shipped' ELSE 'delivered'
           END AS fate
    FROM generate_series(%(first)s, %(last)s) AS series (n)
    JOIN bench_people people ON people.n = series.n * 31 %% %(people)s;
    CREATE TEMPORARY TABLE bench_line ON COMMIT DROP AS
    SELECT o.n, o.id AS order_id, position, goods.public_id AS product_id, goods.sku, goods.name,
           goods.price, 1 + (o.n + position) %% 5 AS quantity
    FROM bench_order o CROSS JOIN generate_series(1, o.lines) position
    JOIN bench_goods goods ON goods.n = (o.n * 7 + position * 13) %% %(goods)s;
    CREATE TEMPORARY TABLE bench_total ON COMMIT DROP AS
    SELECT order_id, sum(price * quantity) AS total FROM bench_line GROUP BY 1;
"""
WRITE = """
    INSERT INTO orders_order (id, customer_id, status, payment_status, fulfillment_status, version,
        currency, goods_total, shipping_total, total, address, external_reference, cancel_reason,
        saga_id, placed_at, updated_at)
    SELECT o.id, o.customer_id, fates.status, fates.payment, fates.fulfillment, fates.version,
           'GBP', total, 0, total, jsonb_build_object('name', o.customer, 'line1', '1 High Street',
           'line2', '', 'city', 'Ely', 'region', '', 'postal_code', 'CB7 4DL', 'country', 'GB'),
           'gen:' || o.n, fates.reason, o.saga_id, o.at, o.at + interval '1 minute'
    FROM bench_order o JOIN bench_total ON order_id = o.id JOIN ({fates}) fates USING (fate);

    INSERT INTO orders_orderline (order_id, position, product_id, sku, name, unit_price, quantity)
    SELECT order_id, position, product_id, sku, name, price, quantity FROM bench_line;

    INSERT INTO payments_payment (id, order_id, amount, currency, card_token, created_at)
    SELECT payment_id, id, total, 'GBP', 'tok_bench', at FROM bench_order
    JOIN bench_total ON order_id = id;

    INSERT INTO payments_paymententry (payment_id, operation, state, amount, currency,
        idempotency_key, gateway_reference, code, detail, created_at)
    SELECT payment_id, operation, state, total, 'GBP', payment_id || ':' || key,
           CASE WHEN state = 'succeeded' THEN 'pay_bench_' || n ELSE '' END, code, '',
           at + make_interval(secs => place)
    FROM bench_order o JOIN bench_total ON order_id = id JOIN ({money}) money USING (fate)
    ORDER BY n, place;

    INSERT INTO shipping_shipment (id, order_id, status, tracking_number, address, scheduled_at,
        dispatched_at, delivered_at, cancelled_at)
    SELECT saga_id, id, shipment, 'HF' || upper(right(replace(saga_id::text, '-', ''), 20)),
           '{{}}', at,
           CASE WHEN shipment IN ('dispatched', 'delivered') THEN at + interval '1 day' END,
           CASE WHEN shipment = 'delivered' THEN at + interval '3 days' END,
           CASE WHEN shipment = 'cancelled' THEN at + interval '1 hour' END
    FROM bench_order JOIN ({fates}) fates USING (fate) WHERE shipment <> '';

    CREATE TEMPORARY TABLE bench_run ON COMMIT DROP AS
    SELECT CASE WHEN kind = 'checkout' THEN saga_id ELSE {new_id} END AS id, o.id AS order_id,
           o.n, o.lines, o.at, runs.*
    FROM bench_order o JOIN ({runs}) runs USING (fate);

    INSERT INTO sagas_sagarun (id, kind, kind_version, business_key, status, position, step,
        direction, data, weight, error_code, parked_steps, next_run_at, created_at, finished_at,
        correlation_id)
    SELECT id, kind, 1, order_id, status, position, step, direction, '{{}}', lines, error,
           (status = 'failed')::int, at, at, at + interval '1 minute', ''
    FROM bench_run;

    INSERT INTO sagas_sagastep (run_id, position, direction, name, status, attempts, result,
        error_code, started_at, finished_at)
    SELECT id, steps.position, steps.direction, name, steps.status, 1,
           CASE WHEN steps.status IN ('completed', 'compensated') THEN '{{}}'::jsonb END,
           steps.error, at + make_interval(secs => place), at + make_interval(secs => place + 1)
    FROM bench_run JOIN ({steps}) steps USING (fate, kind) ORDER BY n, kind, place;

    INSERT INTO sagas_sagalogentry (run_id, at, event, position, direction, attempt, code)
    SELECT id, at, CASE status WHEN 'failed' THEN 'parked' ELSE 'compensating' END, position,
           'F', 1, error FROM bench_run WHERE error <> '';

    INSERT INTO messaging_outbox (event_id, topic, aggregate, aggregate_version, schema_version,
        payload, headers, created_at, published_at)
    SELECT {new_id}, topic, 'order:' || id, event.version, 1, jsonb_build_object('order_id', id),
           '{{}}', at, at
    FROM bench_order JOIN ({fates}) fates USING (fate),
         LATERAL (VALUES ('order.placed', 1), ('order.' || status, fates.version)) event
             (topic, version)
    WHERE topic <> 'order.pending';

    INSERT INTO messaging_idempotencyrecord (principal, key, request_hash, response, created_at)
    SELECT 'customer:' || customer_id, 'bench-' || n, md5(n::text), jsonb_build_object(
               'order_id', id, 'saga_id', saga_id, 'status', 'pending', 'version', 1,
               'total', jsonb_build_object('amount', total::text, 'currency', 'GBP'),
               'placed_at', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')), at
    FROM bench_order JOIN bench_total ON order_id = id WHERE n %% 5 = 0;

    INSERT INTO messaging_staffchange (at, actor_id, actor_name, action, subject, subject_id,
        before, after)
    SELECT at + interval '1 day', 'bench', 'Bench', 'ship', 'orders.order', id,
           '{{"status": "confirmed"}}', '{{"status": "shipped"}}'
    FROM bench_order WHERE fate IN ('shipped', 'delivered');
"""
STOCK = """
    CREATE TEMPORARY TABLE bench_held ON COMMIT DROP AS
    SELECT wanted.*, product.id AS product, CASE fate WHEN 'cancelled' THEN 'released'
           WHEN 'shipped' THEN 'sold' WHEN 'delivered' THEN 'sold' ELSE 'live' END AS status
    FROM bench_wanted wanted JOIN catalog_product product ON product.public_id = wanted.product_id;

    INSERT INTO catalog_reservation (order_id, product_id, quantity, status, created_at, ended_at)
    SELECT order_id, product, quantity, status, at,
           CASE WHEN status <> 'live' THEN at + interval '1 day' END FROM bench_held;

    INSERT INTO catalog_stockledgerentry (product_id, kind, delta_on_hand, delta_reserved, order_id,
        reference, reason, actor, created_at)
    SELECT product, 'received', sum(quantity), 0, NULL::uuid, 'bench', '', 'bench', min(at)
    FROM bench_held GROUP BY product
    UNION ALL
    SELECT product, 'reserved', 0, quantity, order_id, saga_id || ':2:F', '', 'saga', at
    FROM bench_held
    UNION ALL
    SELECT product, status, CASE status WHEN 'sold' THEN -quantity ELSE 0 END, -quantity, order_id,
           saga_id || ':end', '', 'saga', at + interval '1 day'
    FROM bench_held WHERE status <> 'live';

    UPDATE catalog_stockitem item SET on_hand = on_hand + kept, reserved = reserved + held
    FROM (SELECT product, coalesce(sum(quantity) FILTER (WHERE status <> 'sold'), 0) AS kept,
                 coalesce(sum(quantity) FILTER (WHERE status = 'live'), 0) AS held
          FROM bench_held GROUP BY product) moved
    WHERE item.product_id = product;

    INSERT INTO messaging_inbox (consumer, message_id, request_hash, outcome, received_at)
    SELECT DISTINCT 'catalog.reserve_stock', saga_id || ':2:F', md5(saga_id::text),
           '{"short": [], "status": "reserved"}'::jsonb, at FROM bench_held;
"""
FOREIGN_ORDERS = """
    SELECT count(*) FROM (SELECT 1 FROM orders_order
    WHERE external_reference IS NULL OR external_reference NOT LIKE 'gen:%' LIMIT 1) one
"""
LAST_ORDER = """
    SELECT coalesce(max(substr(external_reference, 5)::int), 0) FROM orders_order
    WHERE external_reference LIKE 'gen:%'
"""


def has_own_trade() -> bool:
    """Whether the configured shop has orders that were not made here."""
    with _unhurried("orders") as cursor:
        return cursor.execute(FOREIGN_ORDERS).fetchone()[0] > 0


def insert_orders(count: int) -> int:
    """Adds ``count`` orders for the generated products, and their customers; returns how many."""
    if not count:
        return 0
    people = _customers(max(1, count // ORDERS_PER_CUSTOMER))
    with _unhurried("catalog") as cursor:
        goods = cursor.execute(
            "SELECT public_id, sku, name, price FROM catalog_product WHERE sku LIKE 'GEN-%'"
            " AND active AND deleted IS NULL AND price_currency = 'GBP' ORDER BY id"
        ).fetchall()
    if len(goods) < 100:
        raise SystemExit("Orders need at least a hundred generated products: --products 1000")
    with _unhurried("orders") as orders, _unhurried("catalog") as stock:
        _load(orders, "bench_people", "public_id uuid, name text", people)
        _load(
            orders, "bench_goods", "public_id uuid, sku text, name text, price numeric(12,2)", goods
        )
        before = orders.execute(LAST_ORDER).fetchone()[0]
        for first in range(before + 1, before + count + 1, CHUNK):
            numbers = {
                "first": first,
                "last": min(first + CHUNK - 1, before + count),
                "end": before + count,
                "confirmed": int(count * CONFIRMED),
                "shipped": int(count * SHIPPED),
                "people": len(people),
                "goods": len(goods),
            }
            _chunk(orders, stock, numbers)
    _settle_down()
    return count


def _customers(count: int) -> list[tuple]:
    with _unhurried("default") as cursor:
        known = cursor.execute(
            "SELECT count(*) FROM customers_user WHERE email LIKE 'buyer-%@example.com'"
        ).fetchone()[0]
        if known < count:
            numbers = {"first": known + 1, "last": count, "names": NAMES}
            cursor.execute(PEOPLE.format(new_id=_new_id(cursor)), numbers)
        return cursor.execute(
            "SELECT public_id, name FROM customers_user WHERE email LIKE 'buyer-%@example.com'"
        ).fetchall()


def _chunk(orders: Any, stock: Any, numbers: dict[str, int]) -> None:
    """Some orders in both databases; each database commits them whole."""
    new_id = _new_id(orders)
    parts = {
        "fates": values(FATES, ORDERS),
        "money": values(MONEY, ("fate", "place", "operation", "state", "key", "code")),
        "runs": values(RUNS, ("fate", "kind", "status", "position", "step", "direction", "error")),
        "steps": values(
            STEPS, ("fate", "kind", "place", "position", "direction", "name", "status", "error")
        ),
    }
    orders.execute("BEGIN")
    for statement in _statements(STAGE.format(new_id=new_id)):
        orders.execute(statement, numbers)
    for statement in _statements(WRITE.format(new_id=new_id, **parts)):
        orders.execute(statement, {})
    wanted = orders.execute(
        "SELECT order_id, saga_id, product_id, quantity, fate, at FROM bench_line"
        " JOIN bench_order ON id = order_id WHERE fate NOT IN ('out_of_stock', 'declined')"
    ).fetchall()
    stock.execute("BEGIN")
    columns = "order_id uuid, saga_id uuid, product_id uuid, quantity int, fate text,"
    _load(stock, "bench_wanted", f"{columns} at timestamptz", wanted)
    for statement in _statements(STOCK):
        stock.execute(statement)
    stock.execute("DROP TABLE bench_wanted")
    stock.execute("COMMIT")
    orders.execute("COMMIT")


def _statements(script: str) -> list[str]:
    return [one for one in script.split(";\n") if one.strip()]


def _load(cursor: Any, table: str, columns: str, rows: Sequence[tuple]) -> None:
    """A temporary table of ``rows``, numbered from 0 in column ``n``."""
    cursor.execute(f"CREATE TEMPORARY TABLE {table} (n int, {columns})")
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for number, row in enumerate(rows):
            copy.write_row((number, *row))
    cursor.execute(f"ANALYZE {table}")


def _new_id(cursor: Any) -> str:
    return "uuidv7()" if cursor.connection.info.server_version >= 180_000 else "gen_random_uuid()"


@contextmanager
def _unhurried(alias: str) -> Iterator[Any]:
    """A psycopg cursor on a connection of its own, without a statement timeout."""
    import psycopg
    from django.db import connections

    parameters = connections[alias].get_connection_params()
    names = ("host", "port", "user", "password", "dbname")
    given = {name: parameters[name] for name in names if name in parameters}
    # Parameters are put in by the client: CREATE TABLE … AS takes none from the server.
    factory = psycopg.ClientCursor
    with (
        psycopg.connect(**given, autocommit=True, cursor_factory=factory) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SET statement_timeout = 0")
        yield cursor


def _settle_down() -> None:
    """What autovacuum would do in a while."""
    for alias in ("default", "catalog", "orders"):
        with _unhurried(alias) as cursor:
            cursor.execute("VACUUM ANALYZE")
