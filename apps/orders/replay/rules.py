"""Which rows of a sales file are sales, and what they sell.

Pure and free of Django, so that the truth about a file can be computed without a database.
"""

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

SHIPPING_CODES = frozenset({"POST", "DOT", "C2", "C3"})
NOT_GOODS_CODES = frozenset(
    {
        "D",
        "M",
        "S",
        "B",
        "BANK CHARGES",
        "AMAZONFEE",
        "CRUK",
        "PADS",
        "ADJUST",
        "ADJUST2",
        "TEST001",
        "TEST002",
        "SP1002",
    }
)


class Rejection(StrEnum):
    """Why a row (``SHIPPING_ONLY``: an invoice) is no sale, in the order of the checks."""

    ADJUSTMENT = "adjustment"
    CANCELLATION = "cancellation"
    NO_CUSTOMER = "no_customer"
    NON_POSITIVE_QUANTITY = "non_positive_quantity"
    NON_POSITIVE_PRICE = "non_positive_price"
    PRICE_PRECISION = "price_precision"
    NOT_GOODS = "not_goods"
    SHIPPING_ONLY = "shipping_only"


@lru_cache(maxsize=16_384)
def stock_code(text: str) -> str:
    """The code a product is known by: trimmed and upper-cased."""
    return text.strip().upper()


@lru_cache(maxsize=16_384)
def pence(price: Decimal) -> int | None:
    """The price in hundredths; None if it has more than two decimals."""
    hundredths = price.scaleb(2)
    whole = int(hundredths)
    return whole if whole == hundredths else None


def rejection(
    *, invoice: str, code: str, quantity: int, price: Decimal, customer: int | None
) -> Rejection | None:
    """Why this row is no sale, or None; ``code`` as ``stock_code`` gives it."""
    kind = invoice[:1]
    if kind in "Aa":
        return Rejection.ADJUSTMENT
    if kind in "Cc":
        return Rejection.CANCELLATION
    if customer is None:
        return Rejection.NO_CUSTOMER
    if quantity <= 0:
        return Rejection.NON_POSITIVE_QUANTITY
    if price <= 0:
        return Rejection.NON_POSITIVE_PRICE
    if pence(price) is None:
        return Rejection.PRICE_PRECISION
    if code in NOT_GOODS_CODES:
        return Rejection.NOT_GOODS
    return None


def comes_back(*, code: str, quantity: int, price: Decimal, customer: int | None) -> bool:
    """Whether a row of a cancelling invoice says that a customer sent goods back."""
    goods = code not in NOT_GOODS_CODES and code not in SHIPPING_CODES
    return customer is not None and quantity < 0 and price > 0 and goods
