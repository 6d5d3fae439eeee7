"""Reads a sales file row by row and names file, line and column of what is broken.

The file is a ``.csv`` or ``.csv.gz`` in UTF-8 with the columns of the *Online Retail* data set
in any order. Pure: no Django, a few kilobytes of memory.
"""

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from apps.orders.replay.rules import stock_code

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
# What the shop itself can hold; a number beyond is a slip of whoever wrote the file.
LONGEST_CODE = 32
MOST_PIECES = 1_000_000
HIGHEST_PRICE = Decimal(1_000_000)


class SalesFileError(Exception):
    """The file cannot be read as sales; the text names the file and, where known, the place."""

    def __init__(self, path: Path, problem: str, line: int = 0, column: str = ""):
        place = [str(path)]
        if line:
            place.append(f"line {line}")
        if column:
            place.append(f"column {column}")
        super().__init__(f"{', '.join(place)}: {problem}")
        self.line, self.column = line, column


class Row(NamedTuple):
    """A row as it stands in the file. ``day`` is its date, ``moment`` its date and time."""

    line: int
    invoice: str
    code: str
    description: str
    quantity: int
    moment: str
    price: Decimal
    customer: int | None
    country: str

    @property
    def day(self) -> str:
        return self.moment[:10]


def moment_of(text: str) -> datetime:
    """The file's date and time; it names no time zone and is taken as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read_rows(path: Path, *, limit_days: int | None = None) -> Iterator[Row]:
    """All data rows of ``path``, or those of its first ``limit_days`` trading days.

    A trading day is a date in the file; reading stops at the row that would begin one day too
    many. Raises ``SalesFileError``.
    """
    days: set[str] = set()
    for row in _rows(path):
        if limit_days is not None and row.day not in days:
            if len(days) == limit_days:
                return
            days.add(row.day)
        yield row


def _rows(path: Path) -> Iterator[Row]:
    line, empty = 0, True
    try:
        with _open(path) as file:
            reader = csv.reader(file, strict=True)
            order = _column_order(path, next(reader, []))
            width = len(order)
            line = reader.line_num
            for cells in reader:
                line = reader.line_num
                if not cells:
                    continue  # an empty line, mostly the last one
                if len(cells) != width:
                    raise SalesFileError(
                        path, f"has {len(cells)} fields where the header has {width}", line
                    )
                empty = False
                yield _row(path, line, [cells[place] for place in order])
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        # gzip.BadGzipFile is an OSError; a cut-off archive raises EOFError.
        at = line + 1 if isinstance(error, csv.Error) else line
        raise SalesFileError(path, f"cannot be read: {_text(error)}", at) from error
    if empty:
        raise SalesFileError(path, "has no rows")


def _text(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _open(path: Path) -> TextIO:
    """Bytes that are not UTF-8 come through as surrogates, so that their column can be named."""
    form = {"encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}
    if path.name.endswith(".csv.gz"):
        return gzip.open(path, "rt", **form)
    if path.suffix == ".csv":
        return path.open(**form)
    raise SalesFileError(path, "is neither .csv nor .csv.gz")


def _column_order(path: Path, header: list[str]) -> list[int]:
    """Where each of ``COLUMNS`` stands, followed by the places of all other columns."""
    names = [name.strip() for name in header]
    if not any(names):
        raise SalesFileError(path, "is empty")
    for column in COLUMNS:
        if names.count(column) != 1:
            how = "twice in" if column in names else "missing from"
            raise SalesFileError(path, f"the column is {how} the header", 1, column)
    known = [names.index(column) for column in COLUMNS]
    return known + [place for place in range(len(names)) if place not in known]


def _row(path: Path, line: int, cells: list[str]) -> Row:
    values: list[Any] = [line]
    for column, text, parse in zip(COLUMNS, cells, PARSERS, strict=False):
        try:
            values.append(parse(text))
        except (ValueError, InvalidOperation) as error:
            problem = str(error) if type(error) is ValueError else f"'{text}' is no number"
            raise SalesFileError(path, problem, line, column) from None
    return Row._make(values)


def _utf8(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("is not UTF-8 text") from None
    return text


@lru_cache(maxsize=16_384)
def _invoice(text: str) -> str:
    text = text.strip()
    if not text or not text.isascii() or len(text) > LONGEST_CODE:
        raise ValueError(f"'{text}' is no invoice number")
    return text


@lru_cache(maxsize=16_384)
def _code(text: str) -> str:
    code = stock_code(text)
    if not code or not code.isascii() or len(code) > LONGEST_CODE:
        raise ValueError(f"'{text}' is no stock code")
    return code


@lru_cache(maxsize=16_384)
def _description(text: str) -> str:
    return " ".join(_utf8(text).split())


@lru_cache(maxsize=4096)
def _quantity(text: str) -> int:
    try:
        quantity = int(text)
    except ValueError:
        raise ValueError(f"'{text}' is no whole number") from None
    if abs(quantity) > MOST_PIECES:
        raise ValueError(f"{quantity} is beyond {MOST_PIECES:,} pieces")
    return quantity


@lru_cache(maxsize=4096)
def _moment(text: str) -> str:
    try:
        if len(text) < len("2010-12-01 08:26") or moment_of(text).tzinfo is not UTC:
            raise ValueError
    except ValueError:
        raise ValueError(f"'{text}' is no date and time like 2010-12-01 08:26:00") from None
    return text


@lru_cache(maxsize=16_384)
def _price(text: str) -> Decimal:
    price = Decimal(text)
    if not price.is_finite() or abs(price) > HIGHEST_PRICE:
        raise ValueError(f"'{text}' is no price up to {HIGHEST_PRICE:,}")
    return price


@lru_cache(maxsize=16_384)
def _customer(text: str) -> int | None:
    """``17850`` or, as spreadsheets write it, ``17850.0``; empty where there is none."""
    text = text.strip()
    if not text:
        return None
    number = text.removesuffix(".0")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise ValueError(f"'{text}' is no customer number")
    return int(number)


@lru_cache(maxsize=256)
def _country(text: str) -> str:
    return _utf8(text).strip()


PARSERS: tuple[Callable[[str], Any], ...] = (
    _invoice,
    _code,
    _description,
    _quantity,
    _moment,
    _price,
    _customer,
    _country,
)
