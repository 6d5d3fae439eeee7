"""Sends the file's orders through the public checkout, each once for ever."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from threading import Barrier
from typing import TypeVar
from uuid import UUID

from django.db import connections

from apps.common.errors import HoldfastError
from apps.common.progress import Progress
from apps.orders import facade
from apps.orders.contracts import ImportedLine, ImportOrder
from apps.orders.replay import selectors
from apps.orders.replay.importing import Stock, address_of, pounds
from apps.orders.replay.reader import moment_of
from apps.orders.replay.survey import SoldOrder

T = TypeVar("T")
# The card without a limit: the shop's largest sale is 168,469.60.
CARD = "tok_unlimited"
CHUNK = 1000
# While one thread waits for the database, another builds its order.
THREADS = 2

price = lru_cache(maxsize=4096)(pounds)


@dataclass(frozen=True, slots=True)
class Directory:
    """The shop's ids of the file's customers and products."""

    customers: dict[int, UUID]
    products: dict[str, UUID]


class PlacingError(Exception):
    """An order of the file was refused; the text names it."""


def reference(stock: Stock, invoice: str) -> str:
    """The order's name for ever: a file is placed once per way of stocking the shop."""
    return f"{stock}:{invoice}"


def place_orders(
    orders: Iterable[SoldOrder], *, directory: Directory, stock: Stock, progress: Progress
) -> int:
    """Places the orders the shop does not know yet and returns how many those were.

    ``progress`` counts the known ones too. Raises ``PlacingError`` where the shop refuses one.
    """
    placed = done = 0
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            for chunk in _chunks(orders):
                references = {reference(stock, order.invoice): order for order in chunk}
                known = selectors.known_references(list(references))
                commands = (
                    _command(name, order, directory)
                    for name, order in references.items()
                    if name not in known
                )
                done += len(known)
                for _ in _each(pool, commands):
                    placed += 1
                    done += 1
                    progress.reach(done)
        finally:
            _close_connections(pool)
    return placed


def _close_connections(pool: ThreadPoolExecutor) -> None:
    """Django's connections belong to their thread: each closes its own, none closes twice."""
    together = Barrier(THREADS)

    def close() -> None:
        together.wait()
        connections.close_all()

    for closing in [pool.submit(close) for _ in range(THREADS)]:
        closing.result()


def _each(pool: ThreadPoolExecutor, commands: Iterable[ImportOrder]) -> Iterator[None]:
    """Places all, with never more than a few under way; stops at the first that fails."""
    under_way: set[Future] = set()
    for command in commands:
        under_way.add(pool.submit(_place, command))
        if len(under_way) >= 4 * THREADS:
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in ended)
    yield from (future.result() for future in under_way)


def _place(command: ImportOrder) -> None:
    try:
        facade.place_order(command)
    except HoldfastError as error:
        problems = [f"{one.field}: {one.detail}" for one in error.errors] or [error.detail]
        raise PlacingError(f"{command.external_reference}: {'; '.join(problems)}") from error


def _command(name: str, order: SoldOrder, directory: Directory) -> ImportOrder:
    return ImportOrder(
        external_reference=name,
        customer_id=directory.customers[order.customer],
        lines=tuple(
            ImportedLine(directory.products[sale.code], sale.quantity, price(sale.pence))
            for sale in order.sales
        ),
        shipping=pounds(order.shipping),
        card_token=CARD,
        address=address_of(order.customer, order.country),
        placed_at=moment_of(order.moment),
    )


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
