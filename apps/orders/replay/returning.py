"""Sends the file's returns through the shop: ships what is sent back, then takes it back.

Only what has left the house can come back, so the orders of the returns are shipped first, by the
same command as at the counter. Both go in batches, each order and return once for ever.
"""

from collections.abc import Iterator, Sequence
from typing import TypeVar
from uuid import UUID

from apps.common.errors import HoldfastError
from apps.common.progress import Progress
from apps.orders import facade
from apps.orders.contracts import ImportReturn, ReturnLine, ShipOrder
from apps.orders.replay import selectors
from apps.orders.replay.importing import Stock
from apps.orders.replay.matching import FileReturn, Matcher, Matches
from apps.orders.replay.placing import PlacingError, reference

T = TypeVar("T")
BATCH = 200
REASON = "returned"


def return_reference(stock: Stock, one: FileReturn) -> str:
    """The return's name for ever: an invoice that brings goods of two orders is two returns."""
    return f"{reference(stock, one.invoice)}:{one.order}"


def match_returns(matcher: Matcher, stock: Stock) -> tuple[Matches, dict[str, UUID]]:
    """What the file brings back of orders that were sold, and those orders by invoice."""
    names = {reference(stock, invoice): invoice for invoice in matcher.invoices}
    sold = {names[name]: one for name, one in selectors.sold_orders(list(names)).items()}
    return matcher.match(sold), sold


def ship_orders(order_ids: Sequence[UUID], progress: Progress) -> None:
    """Ships those of the orders that have not left yet."""
    waiting = selectors.not_shipped(order_ids)
    progress.begin("Shipping", len(waiting))
    done = 0
    for batch in _batches(waiting):
        facade.ship_orders([ShipOrder(order_id) for order_id in batch])
        done += len(batch)
        progress.reach(done)


def take_returns(matches: Matches, sold: dict[str, UUID], stock: Stock, progress: Progress) -> None:
    """Takes back what the shop has not taken back yet. Raises ``PlacingError`` where it refuses."""
    progress.begin("Returns", len(matches.returns))
    done = 0
    for batch in _batches(matches.returns):
        commands = [
            ImportReturn(
                return_reference(stock, one),
                sold[one.order],
                tuple(ReturnLine(*piece) for piece in sorted(one.pieces.items())),
                REASON,
            )
            for one in batch
        ]
        try:
            facade.import_returns(commands)
        except HoldfastError as error:
            problems = [f"{one.field}: {one.detail}" for one in error.errors] or [error.detail]
            names = f"{commands[0].external_reference} … {commands[-1].external_reference}"
            raise PlacingError(f"{names}: {'; '.join(problems)}") from error
        done += len(batch)
        progress.reach(done)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]
