"""Makes the customers, products and stock that a file's orders need."""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from itertools import islice
from typing import TypeVar
from uuid import UUID

from moneyed import Money

from apps.catalog import facade as catalog
from apps.catalog.contracts import ImportProduct, ReceiveStock
from apps.common.progress import Progress
from apps.customers import facade as customers
from apps.customers.contracts import Address, RegisterCustomer
from apps.orders.replay.survey import ProductFacts, Survey, money

T = TypeVar("T")
BATCH = 500
CURRENCY = "GBP"
LONGEST_NAME = 200


class Stock(StrEnum):
    """How much of each product the shop has: all that the file asks for, or 60 % of it."""

    AMPLE = "ample"
    SCARCE = "scarce"

    def pieces(self, demand: int) -> int:
        return demand if self is Stock.AMPLE else demand * 60 // 100


def pounds(pence: int) -> Money:
    return Money(money(pence), CURRENCY)


def address_of(customer: int, country: str) -> Address:
    """The file knows the country alone; the rest says so."""
    return Address(name=f"Customer {customer}", line1="Unknown", city="Unknown", country=country)


def _email(customer: int) -> str:
    return f"customer-{customer}@replay.example"


def import_customers(survey: Survey, progress: Progress) -> dict[int, UUID]:
    """Registers the file's customers and returns their ids by number."""
    commands = (
        RegisterCustomer(_email(number), f"Customer {number}", address_of(number, country))
        for number, country in survey.customers.items()
    )
    ids: dict[str, UUID] = {}
    for batch in _batches(commands, len(survey.customers), "Customers", progress):
        ids |= customers.register_customers(batch)
    return {number: ids[_email(number)] for number in survey.customers}


def import_products(survey: Survey, progress: Progress) -> dict[str, UUID]:
    """Imports the file's products and returns their ids by stock code."""
    commands = (_product(code, facts) for code, facts in survey.products.items())
    ids: dict[str, UUID] = {}
    for batch in _batches(commands, len(survey.products), "Products", progress):
        ids |= catalog.import_products(batch)
    return ids


def receive_stock(
    survey: Survey, products: dict[str, UUID], stock: Stock, progress: Progress
) -> None:
    """Fills the shelves, once per way of stocking, however often the file is replayed."""
    commands = (
        ReceiveStock(f"replay:{stock}", products[code], stock.pieces(facts.demand))
        for code, facts in survey.products.items()
    )
    for batch in _batches(commands, len(products), "Stock", progress):
        catalog.receive_stock(batch)


def _product(code: str, facts: ProductFacts) -> ImportProduct:
    return ImportProduct(code, facts.name[:LONGEST_NAME] or code, pounds(facts.pence))


def _batches(
    commands: Iterable[T], total: int, phase: str, progress: Progress
) -> Iterator[Sequence[T]]:
    progress.begin(phase, total)
    done, rest = 0, iter(commands)
    while batch := list(islice(rest, BATCH)):
        yield batch
        done += len(batch)
        progress.reach(done)
