"""The two passes over a sales file: first what it holds, then its orders one by one."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from apps.orders.replay import rules
from apps.orders.replay.countries import CODES
from apps.orders.replay.reader import Row, SalesFileError, read_rows
from apps.orders.replay.rules import SHIPPING_CODES, Rejection

# What the shop accepts in one order; a file beyond that is refused before anything is placed.
MOST_LINES = 1_000


@dataclass(slots=True)
class ProductFacts:
    """A product of the file; ``pence`` is its first price, ``demand`` the pieces sold of it."""

    name: str
    pence: int
    demand: int = 0


@dataclass(frozen=True, slots=True)
class Sale:
    """A goods line: ``quantity`` pieces at ``pence`` each."""

    code: str
    quantity: int
    pence: int


@dataclass(slots=True)
class SoldOrder:
    """An invoice of the file. ``shipping`` (pence) adds up its shipping lines."""

    invoice: str
    customer: int
    country: str
    moment: str
    sales: list[Sale] = field(default_factory=list)
    shipping: int = 0


@dataclass(frozen=True, slots=True)
class ReturnRow:
    """A row of a cancelling invoice: the customer sent ``quantity`` pieces back."""

    line: int
    invoice: str
    customer: int
    code: str
    quantity: int


@dataclass(slots=True)
class Survey:
    """What a file holds: its orders' totals (values in pence), products, customers, rejects.

    ``returns`` are those of the rejected cancellations that say what came back, as they stand in
    the file.
    """

    rows: int = 0
    orders: int = 0
    lines: int = 0
    shipping_lines: int = 0
    units: int = 0
    goods_value: int = 0
    shipping_value: int = 0
    rejected: Counter[Rejection] = field(default_factory=Counter)
    products: dict[str, ProductFacts] = field(default_factory=dict)
    customers: dict[int, str] = field(default_factory=dict)
    returns: list[ReturnRow] = field(default_factory=list)
    last_line: dict[str, int] = field(default_factory=dict)
    """Each order's invoice → the line at which its last accepted row stands."""


def survey_file(path: Path, *, limit_days: int | None = None) -> Survey:
    """The first pass: reads the whole file, so that a broken one is known before anything is
    placed. Raises ``SalesFileError``.
    """
    survey = Survey()
    owner: dict[str, int] = {}
    shipping: dict[str, list[int]] = {}
    last_line: dict[str, int] = {}
    goods_lines: Counter[str] = Counter()
    for row in read_rows(path, limit_days=limit_days):
        survey.rows += 1
        reason = _rejection(row)
        if reason is not None:
            survey.rejected[reason] += 1
            if reason is Rejection.CANCELLATION:
                _note_return(survey, row)
            continue
        _check_order(path, row, owner)
        last_line[row.invoice] = row.line
        if row.code in SHIPPING_CODES:
            count_value = shipping.setdefault(row.invoice, [0, 0])
            count_value[0] += 1
            count_value[1] += row.quantity * rules.pence(row.price)
        else:
            goods_lines[row.invoice] += 1
            if goods_lines[row.invoice] > MOST_LINES:
                raise SalesFileError(path, f"an order has at most {MOST_LINES:,} lines", row.line)
            _count_goods(survey, row)
    for invoice, (count, value) in shipping.items():
        if invoice in goods_lines:
            survey.shipping_lines += count
            survey.shipping_value += value
        else:
            survey.rejected[Rejection.SHIPPING_ONLY] += 1
    survey.last_line = {invoice: last_line[invoice] for invoice in goods_lines}
    survey.orders = len(survey.last_line)
    return survey


def read_orders(
    path: Path, survey: Survey, *, limit_days: int | None = None
) -> Iterator[SoldOrder]:
    """The second pass: the orders as their last rows appear, for invoices may be interleaved."""
    begun: dict[str, SoldOrder] = {}
    for row in read_rows(path, limit_days=limit_days):
        ends = survey.last_line.get(row.invoice)
        if ends is None or _rejection(row) is not None:
            continue
        order = begun.get(row.invoice)
        if order is None:
            order = begun[row.invoice] = SoldOrder(
                row.invoice, row.customer, CODES[row.country], row.moment
            )
        pence = rules.pence(row.price)
        if row.code in SHIPPING_CODES:
            order.shipping += row.quantity * pence
        else:
            order.sales.append(Sale(row.code, row.quantity, pence))
        if row.line == ends:
            yield begun.pop(row.invoice)


def money(pence: int) -> Decimal:
    """Pence as an amount with two decimals."""
    return Decimal(pence).scaleb(-2)


def _rejection(row: Row) -> Rejection | None:
    return rules.rejection(
        invoice=row.invoice,
        code=row.code,
        quantity=row.quantity,
        price=row.price,
        customer=row.customer,
    )


def _note_return(survey: Survey, row: Row) -> None:
    if rules.comes_back(
        code=row.code, quantity=row.quantity, price=row.price, customer=row.customer
    ):
        one = ReturnRow(row.line, row.invoice, row.customer, row.code, -row.quantity)
        survey.returns.append(one)


def _check_order(path: Path, row: Row, owner: dict[str, int]) -> None:
    if row.country not in CODES:
        raise SalesFileError(path, f"'{row.country}' is no country known here", row.line, "Country")
    if owner.setdefault(row.invoice, row.customer) != row.customer:
        raise SalesFileError(
            path,
            f"invoice {row.invoice} belongs to customer {owner[row.invoice]}",
            row.line,
            "CustomerID",
        )


def _count_goods(survey: Survey, row: Row) -> None:
    pence = rules.pence(row.price)
    survey.lines += 1
    survey.units += row.quantity
    survey.goods_value += row.quantity * pence
    survey.customers.setdefault(row.customer, CODES[row.country])
    product = survey.products.get(row.code)
    if product is None:
        product = survey.products[row.code] = ProductFacts(row.description, pence)
    elif not product.name:
        product.name = row.description
    product.demand += row.quantity
