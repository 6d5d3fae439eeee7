"""Who gets what: the pure rule behind a batch of reservations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from apps.catalog.contracts import ReserveResult, ReserveStatus, ReserveStock, ReturnStock, Shortage
from apps.common.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to one command; ``take`` is what it gets (product → pieces, empty if short)."""

    command: ReserveStock
    result: ReserveResult
    take: Mapping[UUID, int]


def demand_of(command: ReserveStock | ReturnStock) -> dict[UUID, int]:
    """Pieces per product: a product that stands in several lines counts once, with their sum.

    Raises ``InvalidInput`` for a line of less than one piece.
    """
    demand: dict[UUID, int] = {}
    for position, line in enumerate(command.lines):
        if line.quantity < 1:
            raise InvalidInput.field(
                f"lines[{position}].quantity", "min_value", f"{command.key}: less than one piece"
            )
        demand[line.product_id] = demand.get(line.product_id, 0) + line.quantity
    return demand


def decide(commands: Sequence[ReserveStock], available: Mapping[UUID, int]) -> list[Decision]:
    """Decides the commands in the given order, each against what the earlier ones left.

    An order gets all its lines or none; a product missing from ``available`` has none.
    """
    left = dict(available)
    decisions = []
    for command in commands:
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
