"""The read model says what the orders say, to the penny."""

from collections.abc import Callable, Collection, Iterator, Mapping
from uuid import UUID

from django.conf import settings

from apps.common.databases import fetch_all
from apps.reporting.enums import DATABASE

# Seconds at rest, and the orders asked for (None: all) → chunks of order → status, currency,
# goods, shipping, total, given back.
Books = Callable[[float, Collection[UUID] | None], Iterator[Mapping[UUID, tuple]]]


def read_model_matches(books: Books) -> tuple[int, dict[str, str]]:
    """How many orders were compared, and which differ from their row here: order → why.

    Compared is what has not changed for as long as an event may be on its way. What differs is
    read again, since somebody may have changed it between the two reads.
    """
    seconds = settings.EVENTS_LATE_AFTER_SECONDS
    checked, suspects = 0, set()
    for chunk in books(seconds, None):
        checked += len(chunk)
        suspects |= _differing(chunk).keys()
    wrong: dict[str, str] = {}
    if suspects:
        for chunk in books(seconds, suspects):
            wrong |= {str(order_id): why for order_id, why in _differing(chunk).items()}
    return checked, wrong


def daily_sales_match() -> tuple[int, dict[str, str]]:
    """How many sums were compared, and which of the daily sales are not what the orders' rows
    say."""
    rows = fetch_all(
        DATABASE,
        """
        WITH own AS (
            SELECT currency, count(*) AS orders, sum(item_count) AS pieces, sum(total) AS revenue,
                sum(refunded) AS refunds
            FROM reporting_orderview WHERE sold GROUP BY currency
        ), sums AS (
            SELECT dimension, currency, sum(orders) AS orders, sum(pieces) AS pieces,
                sum(revenue) AS revenue, sum(refunds) AS refunds
            FROM reporting_dailysales GROUP BY dimension, currency
        )
        SELECT d.dimension, currency, own.pieces, sums.pieces, own.revenue, sums.revenue,
            own.refunds, sums.refunds,
            d.dimension = 'country' AND own.orders IS DISTINCT FROM sums.orders
        FROM (VALUES ('product'), ('category'), ('country')) AS d (dimension)
        CROSS JOIN (SELECT currency FROM own UNION SELECT currency FROM sums) AS c
        LEFT JOIN own USING (currency)
        LEFT JOIN sums USING (dimension, currency)
        """,
    )
    wrong = {}
    for dimension, currency, *sums, miscounted in rows:
        pairs = list(zip(sums[::2], sums[1::2], strict=True))
        if miscounted or any(own != counted for own, counted in pairs):
            told = ", ".join(f"{own} are {counted}" for own, counted in pairs if own != counted)
            wrong[f"{dimension} {currency}"] = told or "the number of orders differs"
    return len(rows), wrong


def _differing(chunk: Mapping[UUID, tuple]) -> dict[UUID, str]:
    rows = fetch_all(
        DATABASE,
        "SELECT order_id, status, currency, subtotal, shipping, total, refunded"
        " FROM reporting_orderview WHERE order_id = ANY(%s::uuid[]) AND placed_at IS NOT NULL",
        [list(chunk)],
    )
    seen = {order_id: tuple(row) for order_id, *row in rows}
    return {
        order_id: f"{_said(book)}, in the read model {_said(seen.get(order_id))}"
        for order_id, book in chunk.items()
        if seen.get(order_id) != book
    }


def _said(row: tuple | None) -> str:
    if row is None:
        return "nothing"
    status, currency, goods, shipping, total, back = row
    return f"{status}, {goods} + {shipping} = {total} {currency}, {back} given back"
