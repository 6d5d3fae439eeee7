"""Goods that come in and counts that are corrected."""

from collections import Counter
from collections.abc import Sequence

from django.db import transaction

from apps.catalog.caching.writing import CatalogChanges, writing
from apps.catalog.contracts import AdjustStock, ReceiveStock, StockLevel
from apps.catalog.enums import DATABASE, LedgerKind
from apps.catalog.stock import events, sql
from apps.common.errors import Conflict, InvalidInput, NotFound
from apps.messaging import idempotency
from apps.messaging.staff_log import staff_change

# Keeps sums of stock columns far inside 64 bits and typing errors out of the books.
MAX_PIECES = 1_000_000_000


def adjust(command: AdjustStock) -> StockLevel:
    """Changes on_hand by ``delta`` once per (principal, key) and returns the new level.

    Raises ``InvalidInput`` for no change, a change beyond ±1,000,000,000 or an empty or long
    reason, ``NotFound`` for an unknown product, ``Conflict`` (``below_reserved``) where fewer
    pieces would be left than are promised to orders, ``KeyReused`` and ``StillRunning``.
    """
    if not command.delta:
        raise InvalidInput.field("delta", "no_change", "A change of zero pieces changes nothing.")
    if abs(command.delta) > MAX_PIECES:
        raise InvalidInput.field("delta", "max_value", f"At most {MAX_PIECES:,} pieces at once.")
    if not command.reason.strip():
        raise InvalidInput.field("reason", "blank", "Say why the count changes.")
    if len(command.reason) > 200:
        raise InvalidInput.field("reason", "max_length", "At most 200 characters.")
    with writing() as cached, transaction.atomic(using=DATABASE):
        return idempotency.once(
            DATABASE,
            command.principal,
            command.key,
            command,
            StockLevel,
            lambda: _adjust(command, cached),
        )


def _adjust(command: AdjustStock, cached: CatalogChanges) -> StockLevel:
    item = sql.lock_items([command.product_id]).get(command.product_id)
    if item is None:
        raise NotFound("There is no such product.")
    on_hand = item.on_hand + command.delta
    if on_hand < item.reserved:
        raise Conflict(
            f"{on_hand} pieces would be left, but {item.reserved} are reserved for orders.",
            code="below_reserved",
            on_hand=item.on_hand,
            reserved=item.reserved,
        )
    number = sql.add_on_hand({item.pk: command.delta})
    sql.insert_ledger(
        LedgerKind.ADJUSTED,
        [sql.Movement(item.pk, command.delta, 0, None, command.key[:100])],
        actor=command.principal,
        reason=command.reason.strip(),
    )
    events.stock_adjusted(command, item, (number, sql.draw_number()))
    staff_change(
        DATABASE,
        subject="catalog.product",
        subject_id=command.product_id,
        action="adjust_stock",
        before={"on_hand": item.on_hand},
        after={"on_hand": on_hand, "reason": command.reason.strip()},
    )
    cached.products([command.product_id])
    return StockLevel(command.product_id, on_hand, item.reserved)


def receive(commands: Sequence[ReceiveStock]) -> int:
    """Tops each product up to its total under its reference; returns the pieces that came in.

    The ledger remembers what came in under a reference, so a repeat adds nothing and a higher
    total adds the difference; a lower one takes nothing away. Raises ``NotFound`` where a
    product does not exist, ``InvalidInput`` for an impossible total or a long reference; then
    nothing is received.
    """
    wanted: dict[tuple[str, object], int] = {}
    for command in commands:
        if not 0 <= command.total <= MAX_PIECES:
            raise InvalidInput.field("total", "range", f"0 to {MAX_PIECES:,} pieces.")
        if len(command.reference) > 100:
            raise InvalidInput.field("reference", "max_length", "At most 100 characters.")
        key = (command.reference, command.product_id)
        wanted[key] = max(command.total, wanted.get(key, 0))
    if not wanted:
        return 0
    with writing() as cached, transaction.atomic(using=DATABASE):
        products = {product_id for _, product_id in wanted}
        items = sql.lock_items(list(products))
        if missing := products - items.keys():
            raise NotFound(f"There is no product {min(map(str, missing))}.")
        # Read under the locks: another receipt of the same goods has committed or waits.
        so_far = sql.received_under(list({reference for reference, _ in wanted}))
        movements = []
        for (reference, product_id), total in wanted.items():
            pk = items[product_id].pk
            if (missing_pieces := total - so_far.get((reference, pk), 0)) > 0:
                movements.append(sql.Movement(pk, missing_pieces, 0, None, reference))
        if movements:
            totals: Counter[int] = Counter()
            for move in movements:
                totals[move.product_pk] += move.on_hand
            number = sql.add_on_hand(totals)
            sql.insert_ledger(LedgerKind.RECEIVED, movements, actor="import")
            events.stock_came(totals, items.values(), LedgerKind.RECEIVED, number)
            cached.products(one.product_id for one in items.values() if one.pk in totals)
        return sum(move.on_hand for move in movements)


def drop_items(product_pks: Sequence[int]) -> list[int]:
    """Removes the stock items of products whose stock never moved; returns the products' keys.

    Where there is a ledger row or a reservation the item stays: books are kept for ever.
    """
    with transaction.atomic(using=DATABASE):
        sql.lock_items_by_pk(product_pks)
        return sql.delete_items(product_pks)


def open_items(product_pks: Sequence[int]) -> None:
    """Gives each product (by primary key) a stock item at zero, where it has none yet."""
    with transaction.atomic(using=DATABASE):
        sql.insert_items(product_pks)
