"""The history of prices: written with the price, in its transaction, never changed."""

from collections.abc import Sequence
from typing import NamedTuple

from moneyed import Money

from apps.catalog.enums import DATABASE
from apps.common.actor import current_actor
from apps.common.databases import execute, require_atomic


class PriceMove(NamedTuple):
    """A product's price became ``after`` with its ``version``; the first price has no before."""

    product_pk: int
    before: Money | None
    after: Money
    version: int


def record(moves: Sequence[PriceMove], *, otherwise: str = "system") -> None:
    """Appends the moves, in one statement, as done by the member of staff at work, or by
    ``otherwise``."""
    if not moves:
        return
    require_atomic(DATABASE)
    actor = current_actor()
    execute(
        DATABASE,
        """
        INSERT INTO catalog_pricechange
            (actor, product_id, before, before_currency, after, after_currency, version)
        SELECT %s, *
        FROM unnest(%s::bigint[], %s::numeric[], %s::text[], %s::numeric[], %s::text[], %s::int[])
        """,
        [
            f"staff:{actor.id}" if actor else otherwise,
            [move.product_pk for move in moves],
            [move.before.amount if move.before else None for move in moves],
            [move.before.currency.code if move.before else None for move in moves],
            [move.after.amount for move in moves],
            [move.after.currency.code for move in moves],
            [move.version for move in moves],
        ],
    )


def forget(product_pk: int) -> None:
    """Removes the history of a product that is removed for good, in the caller's transaction."""
    require_atomic(DATABASE)
    execute(DATABASE, "SELECT set_config('holdfast.maintenance', 'on', true)")
    execute(DATABASE, "DELETE FROM catalog_pricechange WHERE product_id = %s", [product_pk])
    execute(DATABASE, "SELECT set_config('holdfast.maintenance', 'off', true)")
