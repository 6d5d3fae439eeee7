"""What an order's row says of its state and money: for whoever keeps a copy of it elsewhere."""

from collections.abc import Collection, Iterator
from uuid import UUID

from apps.common.databases import fetch_all
from apps.orders.enums import DATABASE

CHUNK = 5_000
Book = tuple  # status, currency, goods, shipping, total, returned
_READ = """
    SELECT id, status, currency, goods_total, shipping_total, total, returned_total
    FROM orders_order
    WHERE id > %s AND (%s::uuid[] IS NULL OR id = ANY(%s::uuid[]))
        AND updated_at < clock_timestamp() - make_interval(secs => %s)
    ORDER BY id LIMIT %s
"""


def books_at_rest(
    seconds: float, order_ids: Collection[UUID] | None = None
) -> Iterator[dict[UUID, Book]]:
    """Orders (or those of ``order_ids``) that have not changed for ``seconds``, in chunks: order →
    status, currency, goods, shipping, total and what was given back for its returns."""
    last, wanted = UUID(int=0), None if order_ids is None else list(order_ids)
    while rows := fetch_all(DATABASE, _READ, [last, wanted, wanted, seconds, CHUNK]):
        yield {order_id: tuple(book) for order_id, *book in rows}
        last = rows[-1][0]
