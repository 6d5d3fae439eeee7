"""Reserving: a whole batch of orders in one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from apps.catalog.caching.writing import CatalogChanges, writing
from apps.catalog.contracts import ReserveResult, ReserveStatus, ReserveStock
from apps.catalog.enums import DATABASE
from apps.catalog.stock import events, holding, sql
from apps.catalog.stock.deciding import decide
from apps.catalog.stock.outcomes import by_key, stored
from apps.common.contracts import from_builtins
from apps.common.failpoints import failpoint
from apps.messaging import inbox

CONSUMER = "catalog.reserve_stock"
# What a release leaves under the key of a reservation that never came.
FENCE = {"status": ReserveStatus.CANCELLED.value, "short": []}
USUAL = stored(ReserveResult("", ReserveStatus.RESERVED))


def reserve(
    commands: Sequence[ReserveStock], correlation_ids: Mapping[UUID, str] | None = None
) -> list[ReserveResult]:
    """Reserves for each order all its lines or none; the results stand in the given order.

    ``correlation_ids`` say for each order which request caused it: its events carry that.

    A key that was answered before gets the same answer again, and nothing moves. Raises
    ``Conflict`` where a key comes with another request than before, ``InvalidInput`` for a
    line of less than one piece; then nothing of the batch is kept.
    """
    batch = by_key(CONSUMER, commands)
    with writing() as cached, transaction.atomic(using=DATABASE):
        admission = inbox.admit(DATABASE, CONSUMER, batch.hashes, presumed=USUAL)
        new = [one for one in batch.commands if one.key in admission.new]
        results = _reserve_new(new, correlation_ids or {}, cached)
        outcomes = {one.key: stored(one) for one in results}
        inbox.settle(DATABASE, CONSUMER, outcomes, presumed=USUAL)
        failpoint("catalog.reserve.before_commit")
    failpoint("catalog.reserve.after_commit")
    outcomes |= admission.outcomes
    return [from_builtins(ReserveResult, {"key": one.key, **outcomes[one.key]}) for one in commands]


def _reserve_new(
    commands: Sequence[ReserveStock], causes: events.Causes, cached: CatalogChanges
) -> list[ReserveResult]:
    """Decides under the locks of all the products at once, then moves once per product.

    The hold of an order's cart ends here, whether the order gets its lines or not. A hold that is
    made between the two locks makes the insert fail; the batch is then tried again, and finds it.
    """
    products = {line.product_id for command in commands for line in command.lines}
    holds = holding.take_over([command.order_id for command in commands]) if commands else []
    products |= {one.product_id for one in holds}
    items = sql.lock_items(list(products)) if products else {}
    available = {key: item.on_hand - item.reserved for key, item in items.items() if item.living}
    held: dict[UUID, dict[UUID, int]] = {}
    for one in holds:
        held.setdefault(one.order_id, {})[one.product_id] = one.quantity
    decisions = decide(commands, available, held)
    movements = [
        sql.Movement(items[product_id].pk, 0, quantity, one.command.order_id, one.command.key)
        for one in decisions
        for product_id, quantity in one.take.items()
    ]
    if holds:
        holding.end(holds, {command.order_id: command.key for command in commands})
    if movements:
        totals: Counter[int] = Counter()
        for move in movements:
            totals[move.product_pk] += move.reserved
        number = sql.add_reserved(totals)
        sql.insert_reservations(movements)
    elif decisions:
        number = sql.draw_number()
    if decisions:
        events.stock_decided(decisions, items, number, causes, held)
    moved = {product_id for one in decisions for product_id in one.take}
    cached.products(moved.union(one.product_id for one in holds))
    return [one.result for one in decisions]
