"""Who gets what: the pure rule behind a batch of reservations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from apps.catalog.contracts import (
    HoldStock,
    ReserveResult,
    ReserveStatus,
    ReserveStock,
    ReturnStock,
    Shortage,
)
from apps.common.errors import InvalidInput

NOTHING_HELD: Mapping[UUID, Mapping[UUID, int]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one command; ``take`` is what it gets (product → pieces, empty if short)."""

    command: ReserveStock
    result: ReserveResult
    take: Mapping[UUID, int]


def demand_of(command: ReserveStock | ReturnStock | HoldStock) -> dict[UUID, int]:
    """Pieces per product: a product that stands in several lines counts once, with their sum.

    Raises ``InvalidInput`` for a line of less than one piece.
    """
    demand: dict[UUID, int] = {}
    for position, line in enumerate(command.lines):
        if line.quantity < 1:
            raise InvalidInput.field(
                f"lines[{position}].quantity", "min_value", f"{_name(command)}: less than one piece"
            )
        demand[line.product_id] = demand.get(line.product_id, 0) + line.quantity
    return demand


def _name(command: ReserveStock | ReturnStock | HoldStock) -> str:
    return f"cart {command.cart_id}" if isinstance(command, HoldStock) else command.key


def decide(
    commands: Sequence[ReserveStock],
    available: Mapping[UUID, int],
    held: Mapping[UUID, Mapping[UUID, int]] = NOTHING_HELD,
) -> list[Decision]:
    """Decides the commands in the given order, each against what the earlier ones left.

    An order gets all its lines or none; a product missing from ``available`` has none. What its
    cart ``held`` (order → product → pieces) nobody before it in the row can have; what it does not
    take of it, everybody after it.
    """
    left = dict(available)
    decisions = []
    for command in commands:
        for product_id, pieces in held.get(command.order_id, {}).items():
            if product_id in left:
                left[product_id] += pieces
        demand = demand_of(command)
        short = tuple(
            Shortage(product_id, quantity, left.get(product_id, 0))
            for product_id, quantity in demand.items()
            if left.get(product_id, 0) < quantity
        )
        if short:
            result = ReserveResult(command.key, ReserveStatus.SHORT, short)
            decisions.append(Decision(command, result, {}))
            continue
        for product_id, quantity in demand.items():
            left[product_id] -= quantity
        result = ReserveResult(command.key, ReserveStatus.RESERVED)
        decisions.append(Decision(command, result, demand))
    return decisions
