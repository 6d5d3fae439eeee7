"""A kind of row: its columns, and how one is read, checked and handed to a service."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from import_export.fields import Field
from import_export.resources import ModelResource
from import_export.results import RowResult
from moneyed import CurrencyDoesNotExist, Money, get_currency

from apps.common.errors import FieldError, HoldfastError, InvalidInput
from apps.common.transfer.formats import original

Row = Mapping[str, str]


class Refused(ValueError):
    """A row that was not taken; the text names the columns."""


class ServiceResource(ModelResource):
    """Rows of ``columns`` (name → whether it must be there) go through ``take``, one by one.

    The whole file is one transaction on the model's database: a row that is refused keeps all
    others out, too, and a dry run always rolls back.
    """

    title = ""
    permission = ""
    columns: dict[str, bool] = {}
    # The service's name of a field where the column has another.
    fields_to_columns: dict[str, str] = {}

    class Meta:
        abstract = True

    def take(self, row: Row, number: int) -> bool:
        """Writes the row through a service; False where that changed nothing."""
        raise NotImplementedError

    @classmethod
    def get_display_name(cls) -> str:
        return cls.title

    def get_use_transactions(self) -> bool:
        return True

    def get_user_visible_fields(self) -> list[Field]:
        return [Field(column_name=name) for name in self.columns]

    def get_diff_headers(self) -> list[str]:
        return list(self.columns)

    def _check_import_id_fields(self, headers: Any) -> None:
        """Rows are told apart by their services."""

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        headers = [str(one or "").strip() for one in dataset.headers or ()]
        lacking = [name for name, needed in self.columns.items() if needed and name not in headers]
        unknown = [name or "(without a name)" for name in headers if name not in self.columns]
        twice = sorted({name for name in headers if headers.count(name) > 1})
        for words, names in (
            ("lacks the columns", lacking),
            ("has unknown columns", unknown),
            ("has columns twice", twice),
        ):
            if names:
                raise Refused(f"The file {words}: {', '.join(names)}.")
        dataset.headers = headers
        self.rows = [self._row(one) for one in dataset.dict]

    def import_row(self, row: Mapping[str, Any], instance_loader: Any, **kwargs: Any) -> RowResult:
        result = self.get_row_result_class()()
        number = kwargs["row_number"]
        if not hasattr(self, "rows"):  # the file as a whole was refused
            return result
        given = self.rows[number - 1]
        result.diff = list(given.values())
        try:
            with self._named():
                changed = self.take(given, number)
        except (Refused, ValidationError) as error:
            result.import_type = RowResult.IMPORT_TYPE_ERROR
            result.errors.append(self.get_error_result_class()(error, row, number))
        else:
            kinds = (RowResult.IMPORT_TYPE_SKIP, RowResult.IMPORT_TYPE_NEW)
            result.import_type = kinds[changed]
        return result

    def _row(self, row: Mapping[str, Any]) -> dict[str, str]:
        return {name: original(_text(row.get(name))) for name in self.columns}

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Says which columns a service complains of."""
        try:
            yield
        except HoldfastError as error:
            told = [f"{self._column(one.field)}: {one.detail}" for one in error.errors]
            raise Refused("; ".join(told) or error.detail) from error

    def _column(self, field: str) -> str:
        """``products[0].price`` is the column ``price``."""
        name = field.rpartition(".")[2].partition("[")[0] if "." in field else field
        return self.fields_to_columns.get(name, name)


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():  # a spreadsheet's 5 is 5.0
        cell = int(cell)
    return str(cell).replace("\x00", "").strip()


def wrong(column: str, detail: str) -> InvalidInput:
    """The error for a cell that cannot be read."""
    return InvalidInput(errors=[FieldError(column, "invalid", detail)])


def decimal(row: Row, column: str) -> Decimal:
    """The cell as an amount."""
    try:
        value = Decimal(row[column])
    except InvalidOperation:
        raise wrong(column, f"“{row[column]}” is not a number.") from None
    if not value.is_finite():
        raise wrong(column, f"“{row[column]}” is not a number.")
    return value


def whole(row: Row, column: str, *, most: int) -> int:
    """The cell as a whole number of at most ``most`` (and at least ``-most``)."""
    value = decimal(row, column)
    if value != value.to_integral_value() or abs(value) > most:
        raise wrong(column, f"A whole number, at most {most:,}.")
    return int(value)


def money(row: Row, column: str, default_currency: str) -> Money:
    """The cell as money, in the currency of the column ``currency`` or the shop's."""
    code = row.get("currency") or default_currency
    try:
        currency = get_currency(code)
    except CurrencyDoesNotExist:
        raise wrong("currency", f"“{code}” is no currency.") from None
    return Money(decimal(row, column), currency)
