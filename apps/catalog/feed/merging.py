"""What readers see: the row with the edits that wait merged over it."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

import orjson
import structlog
from moneyed import Money

from apps.caching import write_behind
from apps.caching.write_behind import Pending, PendingUnknown
from apps.catalog.feed import edits
from apps.catalog.feed.buffer import PRODUCTS
from apps.catalog.models import Product

log = structlog.get_logger(__name__)
UNKNOWN: Mapping[str, Pending] = MappingProxyType({})  # edits may wait that nobody can name


def waiting(ids: Sequence[str]) -> Mapping[str, Pending]:
    """The edits that wait of these products (public ids as text), to be asked for before the rows
    are read. Redis away: ``UNKNOWN``, and readers see what the database has."""
    try:
        return write_behind.pending(PRODUCTS, ids) if ids else {}
    except PendingUnknown as error:
        log.warning("feed.pending_unknown", error=str(error))
        return UNKNOWN


def merge(rows: Iterable[Product], pending: Mapping[str, Pending]) -> None:
    """Gives each of ``rows`` the price and attributes that the database will have; ``version``
    stays the row's own. An edit that the row has already, or that it outdates, is left out."""
    for row in rows:
        one = pending.get(str(row.public_id))
        if one is None or one.version <= (row.feed_epoch, row.feed_counter):
            continue
        try:
            edit = edits.from_fields(one.beyond((row.feed_epoch, row.feed_counter)))
        except ValueError as error:
            # It will be a dead letter.
            log.warning("feed.strange_edit", key=one.key, error=str(error))
            continue
        if edit.price is not None:
            row.price = Money(Decimal(edit.price[0]), edit.price[1])
        if edit.attributes or edit.removed:
            given = {name: orjson.loads(bytes(raw)) for name, raw in edit.attributes.items()}
            gone = set(edit.removed)
            row.attributes = {
                name: value for name, value in (row.attributes | given).items() if name not in gone
            }
