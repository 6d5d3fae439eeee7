"""Rows of the stock tables as they are read and written in sets."""

from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError


class StockMoved(DatabaseError):
    """A guarded update met other numbers than those it locked: nothing of the batch is kept."""


@dataclass(frozen=True, slots=True)
class LockedItem:
    """A stock item whose row lock this transaction holds."""

    pk: int
    product_id: UUID
    living: bool
    on_hand: int
    reserved: int

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved


@dataclass(frozen=True, slots=True)
class LiveReservation:
    pk: int
    order_id: UUID
    product_pk: int
    quantity: int


@dataclass(frozen=True, slots=True)
class LiveHold:
    """What a cart holds of a product; ``order_id`` is the id of the order that it may become."""

    pk: int
    order_id: UUID
    product_pk: int
    quantity: int
    product_id: UUID


@dataclass(frozen=True, slots=True)
class Movement:
    """A row of the ledger to be."""

    product_pk: int
    on_hand: int
    reserved: int
    order_id: UUID | None
    reference: str
