"""Every statement that touches stock columns. Set-oriented: one statement per batch.

All functions need an open transaction on ``catalog``; "moves" are aggregated by the caller, one
per product, because ``UPDATE … FROM`` applies a single match per row.
"""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from apps.catalog.enums import DATABASE, LedgerKind, ReservationStatus
from apps.catalog.stock.rows import (
    LiveReservation,
    LockedItem,
    Movement,
    StockMoved,
)
from apps.common.databases import execute, fetch_all, fetch_one


def _array(values: Iterable[int | UUID | None]) -> str:
    """The values as an array literal; numbers and UUIDs need no quoting, so this is all it takes.

    psycopg's own dump of a list inspects each element, which is a quarter of a large batch.
    """
    return "{" + ",".join(["NULL" if one is None else str(one) for one in values]) + "}"


def lock_items(product_ids: Sequence[UUID]) -> dict[UUID, LockedItem]:
    """Locks the stock items of the products (by public id), in key order, for update."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT s.product_id, p.public_id, p.deleted IS NULL, s.on_hand, s.reserved
        FROM catalog_stockitem s JOIN catalog_product p ON p.id = s.product_id
        WHERE p.public_id = ANY(%s::uuid[])
        ORDER BY s.product_id FOR UPDATE OF s
        """,
        [_array(product_ids)],
    )
    return {row[1]: LockedItem(*row) for row in rows}


def lock_items_by_pk(product_pks: Sequence[int]) -> dict[int, LockedItem]:
    """As ``lock_items``, for products known by their primary key."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT s.product_id, p.public_id, p.deleted IS NULL, s.on_hand, s.reserved
        FROM catalog_stockitem s JOIN catalog_product p ON p.id = s.product_id
        WHERE s.product_id = ANY(%s::bigint[])
        ORDER BY s.product_id FOR UPDATE OF s
        """,
        [_array(product_pks)],
    )
    return {row[0]: LockedItem(*row) for row in rows}


def add_reserved(quantities: Mapping[int, int]) -> int:
    """Reserves ``product pk → pieces``, each only where that much is still available; returns the
    movement's number (see ``draw_number``)."""
    return _move(
        """
        WITH moved AS (
            UPDATE catalog_stockitem s SET reserved = s.reserved + want.quantity
            FROM unnest(%s::bigint[], %s::bigint[]) AS want(product_id, quantity)
            WHERE s.product_id = want.product_id AND s.on_hand - s.reserved >= want.quantity
            RETURNING 1
        )
        """,
        [_array(quantities), _array(quantities.values())],
        len(quantities),
    )


def end_reserved(quantities: Mapping[int, int], *, sold: bool) -> int:
    """Takes ``product pk → pieces`` out of reserved; if ``sold``, out of the house as well. Returns
    the movement's number."""
    return _move(
        """
        WITH moved AS (
            UPDATE catalog_stockitem s
            SET reserved = s.reserved - done.quantity,
                on_hand = s.on_hand - CASE WHEN %s THEN done.quantity ELSE 0 END
            FROM unnest(%s::bigint[], %s::bigint[]) AS done(product_id, quantity)
            WHERE s.product_id = done.product_id AND s.reserved >= done.quantity
            RETURNING 1
        )
        """,
        [sold, _array(quantities), _array(quantities.values())],
        len(quantities),
    )


def add_on_hand(deltas: Mapping[int, int]) -> int:
    """Changes on_hand by ``product pk → pieces``, never below what is reserved; returns the
    movement's number."""
    return _move(
        """
        WITH moved AS (
            UPDATE catalog_stockitem s SET on_hand = s.on_hand + move.delta
            FROM unnest(%s::bigint[], %s::bigint[]) AS move(product_id, delta)
            WHERE s.product_id = move.product_id AND s.on_hand + move.delta >= s.reserved
            RETURNING 1
        )
        """,
        [_array(deltas), _array(deltas.values())],
        len(deltas),
    )


def draw_number() -> int:
    """A number greater than that of every movement so far, of the rows of the ledger's sequence.

    Drawn under the locks of the items that are moved, it is a version of what is told of them.
    """
    [number] = fetch_one(DATABASE, "SELECT nextval('catalog_stockledgerentry_id_seq')")
    return number


def insert_reservations(movements: Sequence[Movement]) -> None:
    """Makes one live reservation of each movement, and its ledger row in the same statement."""
    orders, nth = _orders(movements)
    execute(
        DATABASE,
        """
        WITH wanted AS (
            SELECT orders.order_id, orders.reference, line.product_id, line.quantity
            FROM unnest(%s::int[], %s::bigint[], %s::bigint[]) AS line(nth, product_id, quantity)
            JOIN unnest(%s::uuid[], %s::text[])
                 WITH ORDINALITY AS orders(order_id, reference, nth) USING (nth)
        ), made AS (
            INSERT INTO catalog_reservation (order_id, product_id, quantity)
            SELECT order_id, product_id, quantity FROM wanted
        )
        INSERT INTO catalog_stockledgerentry
            (product_id, kind, delta_on_hand, delta_reserved, order_id, reference, reason, actor)
        SELECT product_id, %s, 0, quantity, order_id, reference, '', 'saga' FROM wanted
        """,
        [
            _array(nth),
            _array(move.product_pk for move in movements),
            _array(move.reserved for move in movements),
            _array(order_id for order_id, _ in orders),
            [reference for _, reference in orders],
            LedgerKind.RESERVED,
        ],
    )


def lock_live_reservations(order_ids: Sequence[UUID]) -> list[LiveReservation]:
    """Locks the live reservations of the orders, in key order."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT id, order_id, product_id, quantity FROM catalog_reservation
        WHERE order_id = ANY(%s::uuid[]) AND status = 'live' ORDER BY id FOR UPDATE
        """,
        [_array(order_ids)],
    )
    return [LiveReservation(*row) for row in rows]


def lock_expired_reservations(most: int) -> list[LiveReservation]:
    """Locks live holds whose time is over, in key order; passes over what is locked already."""
    # Of the statement, not the clock: with a time that stands still the index of holds can be used.
    rows = fetch_all(
        DATABASE,
        """
        SELECT id, order_id, product_id, quantity FROM catalog_reservation
        WHERE status = 'live' AND expires_at <= statement_timestamp()
        ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
        """,
        [most],
    )
    return [LiveReservation(*row) for row in rows]


def end_reservations(reservation_pks: Sequence[int], status: ReservationStatus) -> None:
    """Ends live reservations that this transaction has locked."""
    _moved(
        execute(
            DATABASE,
            """
            UPDATE catalog_reservation SET status = %s, ended_at = clock_timestamp()
            WHERE id = ANY(%s::bigint[]) AND status = 'live'
            """,
            [status, _array(reservation_pks)],
        ),
        len(reservation_pks),
    )


def insert_ledger(
    kind: LedgerKind, movements: Sequence[Movement], *, actor: str, reason: str = ""
) -> None:
    """Appends the movements to the ledger."""
    orders, nth = _orders(movements)
    execute(
        DATABASE,
        """
        INSERT INTO catalog_stockledgerentry
            (kind, actor, reason, product_id, delta_on_hand, delta_reserved, order_id, reference)
        SELECT %s, %s, %s, move.product_id, move.on_hand, move.reserved, orders.order_id,
               orders.reference
        FROM unnest(%s::int[], %s::bigint[], %s::bigint[], %s::bigint[])
             AS move(nth, product_id, on_hand, reserved)
        JOIN unnest(%s::uuid[], %s::text[])
             WITH ORDINALITY AS orders(order_id, reference, nth) USING (nth)
        """,
        [
            kind,
            actor,
            reason,
            _array(nth),
            _array(move.product_pk for move in movements),
            _array(move.on_hand for move in movements),
            _array(move.reserved for move in movements),
            _array(order_id for order_id, _ in orders),
            [reference for _, reference in orders],
        ],
    )


def _orders(movements: Sequence[Movement]) -> tuple[list[tuple[UUID | None, str]], list[int]]:
    """The distinct (order, reference) pairs, and for each movement the number (from 1) of its."""
    numbers: dict[tuple[UUID | None, str], int] = {}
    nth = [
        numbers.setdefault((move.order_id, move.reference), len(numbers) + 1) for move in movements
    ]
    return list(numbers), nth


def received_under(references: Sequence[str]) -> dict[tuple[str, int], int]:
    """Pieces that came in so far: (reference, product pk) → sum."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT reference, product_id, sum(delta_on_hand)::bigint FROM catalog_stockledgerentry
        WHERE kind = 'received' AND reference = ANY(%s::text[]) GROUP BY reference, product_id
        """,
        [list(references)],
    )
    return {(reference, pk): total for reference, pk, total in rows}


def insert_items(product_pks: Sequence[int]) -> None:
    """Gives each product a stock item at zero, where it has none."""
    execute(
        DATABASE,
        """
        INSERT INTO catalog_stockitem (product_id, on_hand, reserved)
        SELECT product_id, 0, 0 FROM unnest(%s::bigint[]) AS product_id ON CONFLICT DO NOTHING
        """,
        [_array(sorted(product_pks))],
    )


def uses_of(product_pk: int) -> tuple[int, int]:
    """How many reservations and how many movements name the product."""
    [row] = fetch_all(
        DATABASE,
        "SELECT (SELECT count(*) FROM catalog_reservation WHERE product_id = %s),"
        " (SELECT count(*) FROM catalog_stockledgerentry WHERE product_id = %s)",
        [product_pk, product_pk],
    )
    return row


def delete_items(product_pks: Sequence[int]) -> list[int]:
    """Removes the (locked) stock items that never had a movement; returns their products' keys."""
    rows = fetch_all(
        DATABASE,
        """
        DELETE FROM catalog_stockitem s
        WHERE s.product_id = ANY(%s::bigint[]) AND s.on_hand = 0 AND s.reserved = 0
          AND NOT EXISTS (SELECT FROM catalog_stockledgerentry l WHERE l.product_id = s.product_id)
          AND NOT EXISTS (SELECT FROM catalog_reservation r WHERE r.product_id = s.product_id)
        RETURNING s.product_id
        """,
        [_array(product_pks)],
    )
    return [pk for [pk] in rows]


def _moved(rows: int, expected: int) -> None:
    if rows != expected:
        raise StockMoved(f"{expected - rows} of {expected} stock rows refused the movement")


def _move(update: str, params: Sequence[object], expected: int) -> int:
    rows, number = fetch_one(
        DATABASE,
        update + "SELECT count(*), nextval('catalog_stockledgerentry_id_seq') FROM moved",
        params,
    )
    _moved(rows, expected)
    return number
