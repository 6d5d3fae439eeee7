"""What becomes of a mail that was asked for: who gets it and what it says, or why nobody does.

Pure: the worker reads what is known and writes what is decided.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.notifications.enums import Kind

# An event that comes so late tells nothing any more: a group that reads an old log must not write
# to everybody who ever ordered.
TOO_OLD = timedelta(days=3)
# How long a mail about an order waits for what was ordered; then it goes without the list.
FACTS_WITHIN = timedelta(minutes=1)
# How long a mail waits to hear who gets it.
RECIPIENT_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wish:
    """A mail to be composed; ``facts`` are what its event told, ``age`` is since it was noted."""

    kind: Kind
    customer_id: UUID
    order_id: UUID | None
    facts: dict[str, Any]
    occurred_at: datetime
    created_at: datetime
    age: timedelta
    is_copy: bool = False


@dataclass(frozen=True, slots=True)
class Addressee:
    email: str
    name: str
    gone: bool


@dataclass(frozen=True, slots=True)
class Ordered:
    """What was ordered; amounts as text, ``lines`` with name, sku, quantity and unit_price."""

    currency: str
    goods_total: str
    shipping_total: str
    total: str
    lines: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Composed:
    recipient: str
    subject: str
    context: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Waiting:
    """``why`` it cannot be composed yet."""

    why: str


@dataclass(frozen=True, slots=True)
class Skipped:
    why: str


@dataclass(frozen=True, slots=True)
class Failed:
    why: str


Verdict = Composed | Waiting | Skipped | Failed

SUBJECTS = {
    Kind.WELCOME: "Welcome to Holdfast",
    Kind.ORDER_CONFIRMED: "Your order {number} is confirmed",
    Kind.ORDER_SHIPPED: "Your order {number} is on its way",
    Kind.ORDER_CANCELLED: "Your order {number} was cancelled",
    Kind.ORDER_REFUNDED: "Your refund for order {number}",
}


def compose(
    wish: Wish, addressee: Addressee | None, ordered: Ordered | None, unwanted: frozenset[Kind]
) -> Verdict:
    """``unwanted``: the kinds the customer does without. A copy that staff ask for goes whatever
    the age of its event and the preference."""
    if wish.created_at - wish.occurred_at > TOO_OLD and not wish.is_copy:
        return Skipped("Its event was told too late.")
    if wish.kind in unwanted and not wish.is_copy:
        return Skipped("The customer does not want these.")
    if addressee is None:
        why = "Nothing is known of the customer."
        return Waiting(why) if wish.age < RECIPIENT_WITHIN else Failed(why)
    if addressee.gone:
        return Skipped("The customer is deleted.")
    if wish.order_id is not None and ordered is None and wish.age < FACTS_WITHIN:
        return Waiting("What was ordered is not known yet.")
    subject = SUBJECTS[wish.kind].format(number=order_number(wish.order_id))
    return Composed(addressee.email, subject, _context(wish, addressee, ordered))


def order_number(order_id: UUID | None) -> str:
    """How mails call an order: the end of its id, which two orders hardly share."""
    return order_id.hex[-8:].upper() if order_id else ""


def _context(wish: Wish, addressee: Addressee, ordered: Ordered | None) -> dict[str, Any]:
    context: dict[str, Any] = {"name": " ".join(addressee.name.split()), "email": addressee.email}
    if wish.order_id is None:
        return context
    context |= {
        "number": order_number(wish.order_id),
        "order_id": str(wish.order_id),
        "facts": wish.facts,
    }
    if ordered is not None:
        context["ordered"] = {
            "goods": _money(ordered.goods_total, ordered.currency),
            "shipping": _money(ordered.shipping_total, ordered.currency),
            "total": _money(ordered.total, ordered.currency),
            "lines": [_line(line, ordered.currency) for line in ordered.lines],
        }
    if wish.kind is Kind.ORDER_REFUNDED:
        currency = wish.facts["amount"]["currency"]
        context["returned"] = [_line(line, currency) for line in wish.facts["lines"]]
    return context


def _line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "name": line["name"],
        "sku": line["sku"],
        "quantity": line["quantity"],
        "unit_price": _money(line["unit_price"], currency),
    }


def _money(amount: str, currency: str) -> dict[str, str]:
    return {"amount": str(amount), "currency": currency}
