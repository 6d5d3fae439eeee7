"""Do the books agree? Grouped SQL, one statement each, so that each sees one moment."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Sum

from apps.catalog.enums import DATABASE, ReservationStatus
from apps.catalog.models import Reservation, StockItem
from apps.common.audit import Finding
from apps.common.databases import fetch_all

BOOKS = """
    SELECT p.public_id, coalesce(s.product_id, r.product_id, l.product_id), s.product_id IS NULL,
           coalesce(s.on_hand, 0), coalesce(s.reserved, 0), coalesce(r.quantity, 0)::bigint,
           coalesce(l.on_hand, 0)::bigint, coalesce(l.reserved, 0)::bigint
    FROM catalog_stockitem s
    FULL JOIN (SELECT product_id, sum(quantity) AS quantity FROM catalog_reservation
               WHERE status = 'live' GROUP BY product_id) r ON r.product_id = s.product_id
    FULL JOIN (SELECT product_id, sum(delta_on_hand) AS on_hand, sum(delta_reserved) AS reserved
               FROM catalog_stockledgerentry GROUP BY product_id) l
           ON l.product_id = coalesce(s.product_id, r.product_id)
    LEFT JOIN catalog_product p ON p.id = coalesce(s.product_id, r.product_id, l.product_id)
    WHERE s.product_id IS NULL OR s.reserved NOT BETWEEN 0 AND s.on_hand
       OR s.reserved <> coalesce(r.quantity, 0)
       OR s.on_hand <> coalesce(l.on_hand, 0) OR s.reserved <> coalesce(l.reserved, 0)
    ORDER BY 2
"""


def stock_findings() -> list[Finding]:
    """Products where Σ live reservations = reserved ≤ on_hand, Σ ledger = both does not hold."""
    findings = []
    for public_id, pk, homeless, on_hand, reserved, promised, in_ledger, held in fetch_all(
        DATABASE, BOOKS
    ):
        subject = str(public_id or pk)

        def add(check: str, detail: str, subject: str = subject) -> None:
            findings.append(Finding(check, subject, detail))

        if homeless:
            add("stock_item", "reservations or ledger rows of a product without a stock item")
        if not 0 <= reserved <= on_hand:
            add("stock_bounds", f"{reserved} reserved of {on_hand} on hand")
        if reserved != promised:
            add("stock_reservations", f"{reserved} reserved, live reservations of {promised}")
        if (on_hand, reserved) != (in_ledger, held):
            add("stock_ledger", f"{on_hand}/{reserved}, but the ledger says {in_ledger}/{held}")
    return findings


def stock_items_count() -> int:
    """How many products have stock books."""
    return StockItem.objects.count()


def live_reservations_by_order() -> Iterator[tuple[UUID, int]]:
    """Each order that holds stock now, with its pieces; streamed. Carts are no orders."""
    return (
        Reservation.objects.filter(status=ReservationStatus.LIVE, expires_at=None)
        .values_list("order_id")
        .annotate(pieces=Sum("quantity"))
        .order_by("order_id")
        .iterator(chunk_size=5000)
    )


def sold_stock() -> dict[UUID, int]:
    """What left the house: order → pieces."""
    return dict(
        fetch_all(
            DATABASE,
            "SELECT order_id, -sum(delta_on_hand)::bigint FROM catalog_stockledgerentry"
            " WHERE kind = 'sold' GROUP BY order_id",
        )
    )


def returned_stock() -> dict[UUID, dict[UUID, int]]:
    """What came back onto the shelf: order → product → pieces."""
    back: dict[UUID, dict[UUID, int]] = {}
    for order_id, product_id, pieces in fetch_all(
        DATABASE,
        """
        SELECT l.order_id, p.public_id, sum(l.delta_on_hand)::bigint
        FROM catalog_stockledgerentry l JOIN catalog_product p ON p.id = l.product_id
        WHERE l.kind = 'returned' GROUP BY l.order_id, p.public_id
        """,
    ):
        back.setdefault(order_id, {})[product_id] = pieces
    return back
