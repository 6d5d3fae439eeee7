"""The statements of holds: as ``sql``, for reservations that have an end."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from apps.catalog.enums import DATABASE
from apps.catalog.stock.rows import LiveHold, LiveReservation, StockMoved
from apps.common.databases import execute, fetch_all, fetch_one


def lock_cart(cart_id: UUID) -> None:
    """Waits until no other transaction changes the holds of this cart."""
    execute(DATABASE, "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"hold {cart_id}"])


def lock_holds(order_ids: Sequence[UUID]) -> list[LiveHold]:
    """Locks the live holds under these ids, in key order."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT r.id, r.order_id, r.product_id, r.quantity, p.public_id
        FROM catalog_reservation r JOIN catalog_product p ON p.id = r.product_id
        WHERE r.order_id = ANY(%s::uuid[]) AND r.status = 'live' AND r.expires_at IS NOT NULL
        ORDER BY r.id FOR UPDATE OF r
        """,
        [list(order_ids)],
    )
    return [LiveHold(*row) for row in rows]


def lock_holds_of(cart_ids: Sequence[UUID], *, expired: bool) -> list[LiveReservation]:
    """As ``sql.lock_expired_reservations``, for the holds of some carts; all of them unless
    ``expired``."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT id, order_id, product_id, quantity FROM catalog_reservation
        WHERE order_id = ANY(%s::uuid[]) AND status = 'live'
            AND expires_at <= CASE WHEN %s THEN clock_timestamp() ELSE 'infinity' END
        ORDER BY id FOR UPDATE SKIP LOCKED
        """,
        [list(cart_ids), expired],
    )
    return [LiveReservation(*row) for row in rows]


def has_reserved(order_id: UUID) -> bool:
    """Whether an order of this id holds stock as an order does: without an end."""
    [found] = fetch_one(
        DATABASE,
        "SELECT EXISTS (SELECT FROM catalog_reservation"
        " WHERE order_id = %s AND status = 'live' AND expires_at IS NULL)",
        [order_id],
    )
    return found


def set_holds(cart_id: UUID, quantities: Mapping[int, int], *, seconds: float) -> None:
    """Makes the cart's live hold of each product (by primary key) that many pieces, for ``seconds``
    from now; one that is there already is changed."""
    rows = execute(
        DATABASE,
        """
        INSERT INTO catalog_reservation AS r (order_id, product_id, quantity, expires_at)
        SELECT %s, product_id, quantity, clock_timestamp() + make_interval(secs => %s)
        FROM unnest(%s::bigint[], %s::bigint[]) AS want(product_id, quantity)
        ON CONFLICT (order_id, product_id) WHERE status = 'live'
        DO UPDATE SET quantity = excluded.quantity, expires_at = excluded.expires_at
        WHERE r.expires_at IS NOT NULL
        """,
        [cart_id, seconds, list(quantities), list(quantities.values())],
    )
    if rows != len(quantities):
        raise StockMoved("what the cart should hold is an order's already")
