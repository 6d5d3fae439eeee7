"""Goods that were sold and come back onto the shelf."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from apps.catalog.caching.writing import CatalogChanges, writing
from apps.catalog.contracts import ReturnStock, StockResult
from apps.catalog.enums import DATABASE, LedgerKind
from apps.catalog.stock import events, sql
from apps.catalog.stock.deciding import demand_of
from apps.catalog.stock.outcomes import by_key, stored
from apps.common.contracts import from_builtins
from apps.common.errors import NotFound
from apps.common.failpoints import failpoint
from apps.messaging import inbox

CONSUMER = "catalog.return_stock"


def give_back(
    commands: Sequence[ReturnStock], correlation_ids: Mapping[UUID, str] | None = None
) -> list[StockResult]:
    """Adds what came back of each order to on_hand, in one transaction; results in the given order.

    Also of a product that is deleted by now: its books go on. A key that was answered before gets
    the same answer again, and nothing moves. Raises ``Conflict`` where a key comes with another
    request than before, ``InvalidInput`` for a line of less than one piece, ``NotFound`` for a
    product that was never stocked; then nothing of the batch is kept. ``correlation_ids`` are as in
    ``reserve``; of a product that several orders bring back it is the last one's.
    """
    batch = by_key(CONSUMER, commands)
    with writing() as cached, transaction.atomic(using=DATABASE):
        admission = inbox.admit(DATABASE, CONSUMER, batch.hashes)
        new = [one for one in batch.commands if one.key in admission.new]
        outcomes = _give_back(new, correlation_ids or {}, cached)
        inbox.settle(DATABASE, CONSUMER, outcomes)
        failpoint("catalog.return.before_commit")
    failpoint("catalog.return.after_commit")
    outcomes |= admission.outcomes
    return [from_builtins(StockResult, {"key": one.key, **outcomes[one.key]}) for one in commands]


def _give_back(
    commands: Sequence[ReturnStock], causes: events.Causes, cached: CatalogChanges
) -> dict[str, dict]:
    """Moves once per product, under the locks of all of them: key → outcome."""
    back = {command.key: demand_of(command) for command in commands}
    products = {product_id for pieces in back.values() for product_id in pieces}
    items = sql.lock_items(list(products)) if products else {}
    if missing := products - items.keys():
        raise NotFound(f"There are no stock books of product {min(map(str, missing))}.")
    movements = [
        sql.Movement(items[product_id].pk, quantity, 0, command.order_id, command.key)
        for command in commands
        for product_id, quantity in back[command.key].items()
    ]
    if movements:
        totals: Counter[int] = Counter()
        for move in movements:
            totals[move.product_pk] += move.on_hand
        number = sql.add_on_hand(totals)
        sql.insert_ledger(LedgerKind.RETURNED, movements, actor="saga")
        by_pk = {
            move.product_pk: causes[move.order_id] for move in movements if move.order_id in causes
        }
        events.stock_came(totals, items.values(), LedgerKind.RETURNED, number, by_pk)
        cached.products(products)
    return {key: stored(StockResult(key, sum(pieces.values()))) for key, pieces in back.items()}
