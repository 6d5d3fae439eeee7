"""What of an order may still come back, and for how much money: pure, decided under its lock."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from moneyed import Money

from apps.common.errors import FieldError, InvalidInput
from apps.orders.contracts import ReturnLine
from apps.orders.enums import OrderStatus
from apps.orders.errors import NotReturnable

RETURNABLE = (OrderStatus.SHIPPED, OrderStatus.DELIVERED)


@dataclass(slots=True)
class SoldLine:
    """A line of the order; ``left`` counts the pieces that no return has taken yet."""

    pk: int
    unit_price: Decimal
    quantity: int
    left: int


@dataclass(slots=True)
class Books:
    """An order as it may give back: its lines by position, and what no return has taken yet of
    the captured money."""

    order_id: UUID
    status: str
    currency: str
    money_left: Decimal
    lines: dict[int, SoldLine]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a return takes. ``pieces``: (key of the order's line, restock) → quantity."""

    goods_total: Decimal
    amount: Decimal
    pieces: dict[tuple[int, bool], int]


def take(books: Books, lines: tuple[ReturnLine, ...], amount: Money | None) -> Taken:
    """Takes goods, or an amount without goods, out of ``books``, so that the next one finds less.

    Goods are refunded at the price they were sold for, but never beyond what is left of the
    captured money. Raises ``NotReturnable``, ``InvalidInput`` naming the field.
    """
    if books.status not in RETURNABLE:
        raise NotReturnable(
            f"an order that is {books.status} cannot be returned", status_now=str(books.status)
        )
    if amount is not None:
        if lines:
            raise InvalidInput.field("amount", "not_with_lines", "Lines say what is refunded.")
        return _take_money(books, amount)
    if not lines:
        raise InvalidInput.field("lines", "required", "Say which lines come back.")
    return _take_goods(books, lines)


def _take_money(books: Books, amount: Money) -> Taken:
    if amount.currency.code != books.currency:
        text = f"The order was paid in {books.currency}."
        raise InvalidInput.field("amount.currency", "other_currency", text)
    if amount.amount <= 0 or amount.amount.as_tuple().exponent < -2:
        text = "More than nothing, at most two decimals."
        raise InvalidInput.field("amount.amount", "invalid", text)
    if amount.amount > books.money_left:
        text = f"At most {books.money_left} {books.currency} are left to be refunded."
        raise InvalidInput.field("amount.amount", "max_value", text)
    books.money_left -= amount.amount
    return Taken(Decimal("0.00"), amount.amount, {})


def _take_goods(books: Books, lines: tuple[ReturnLine, ...]) -> Taken:
    pieces: dict[tuple[int, bool], int] = {}
    wanted: dict[int, int] = {}
    errors = []
    for n, line in enumerate(lines):
        sold = books.lines.get(line.position)
        wanted[line.position] = wanted.get(line.position, 0) + line.quantity
        if sold is None:
            errors.append(FieldError(f"lines[{n}].position", "unknown_line", "No such line."))
        elif line.quantity < 1:
            errors.append(FieldError(f"lines[{n}].quantity", "min_value", "At least one piece."))
        elif wanted[line.position] > sold.left:
            text = f"{sold.left} of {sold.quantity} pieces can still come back."
            errors.append(FieldError(f"lines[{n}].quantity", "max_value", text))
        else:
            key = (sold.pk, line.restock)
            pieces[key] = pieces.get(key, 0) + line.quantity
    if errors:
        raise InvalidInput(errors=errors)
    goods = Decimal("0.00")
    for position, quantity in wanted.items():
        books.lines[position].left -= quantity
        goods += books.lines[position].unit_price * quantity
    amount = min(goods, books.money_left)
    books.money_left -= amount
    return Taken(goods, amount, pieces)
