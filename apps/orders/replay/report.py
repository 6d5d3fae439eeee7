"""What a replay ends with: the same numbers as JSON and as a table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from apps.orders.audit.report import AuditReport
from apps.orders.replay.matching import Matches
from apps.orders.replay.rules import Rejection
from apps.orders.replay.survey import Survey, money


@dataclass(frozen=True, slots=True)
class Returned:
    """What the file brings back. ``orders`` of which something came back were shipped; ``sagas``
    counts the returns by the status their saga ended in; ``amount`` (pence) is their refund."""

    matches: Matches
    orders: int
    sagas: Mapping[str, int]
    amount: int

    def as_json(self, survey: Survey) -> dict[str, Any]:
        """``rows`` of cancelling invoices, ``no_goods`` of them name no goods of a customer."""
        rows = survey.rejected[Rejection.CANCELLATION]
        return {
            "rows": rows,
            "no_goods": rows - len(survey.returns),
            "matched": self.matches.matched,
            "partly_matched": self.matches.partly_matched,
            "unmatched": self.matches.unmatched,
            "pieces": self.matches.matched_pieces,
            "unmatched_pieces": self.matches.unmatched_pieces,
            "orders": self.orders,
            "taken": sum(self.sagas.values()),
            "completed": self.sagas.get("completed", 0),
            "refused": self.sagas.get("compensated", 0),
            "failed": self.sagas.get("failed", 0),
            "value": str(money(self.amount)),
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The file's books. ``sagas`` counts the file's orders by the status their saga ended in.

    Values in pence: ``captured`` for the orders that were sold, ``kept`` after what was given back
    for returns.
    """

    survey: Survey
    sagas: Mapping[str, int]
    returned: Returned
    captured: int
    kept: int
    audit: AuditReport
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The report in builtins; values are strings with two decimals, in pounds."""
        survey = self.survey
        return {
            "rows": survey.rows,
            "orders": {
                "placed": sum(self.sagas.values()),
                "confirmed": self.sagas.get("completed", 0),
                "compensated": self.sagas.get("compensated", 0),
                "failed": self.sagas.get("failed", 0),
            },
            "lines": survey.lines,
            "shipping_lines": survey.shipping_lines,
            "units": survey.units,
            "products": len(survey.products),
            "customers": len(survey.customers),
            "goods_value": str(money(survey.goods_value)),
            "shipping_value": str(money(survey.shipping_value)),
            "captured_value": str(money(self.captured)),
            "kept_value": str(money(self.kept)),
            "returns": self.returned.as_json(survey),
            "rejected": {
                reason.value: survey.rejected[reason]
                for reason in Rejection
                if survey.rejected[reason]
            },
            "audit": self.audit.as_json(),
            "seconds": round(self.seconds, 3),
        }


def print_report(report: Report, title: str, console: Console) -> None:
    """Prints the report as tables."""
    numbers = report.as_json()
    console.print(title, style="bold")
    table = Table(show_header=False)
    table.add_column("what")
    table.add_column("how much", justify="right")
    _rows(table, {"rows read": numbers["rows"]})
    _rows(table, {f"– rejected: {name}": count for name, count in numbers["rejected"].items()})
    table.add_section()
    _rows(table, {f"orders {name}": count for name, count in numbers["orders"].items()})
    _rows(table, {name: numbers[name] for name in ("products", "customers")})
    _rows(table, {"goods lines": numbers["lines"], "shipping lines": numbers["shipping_lines"]})
    _rows(table, {"units": numbers["units"]})
    table.add_section()
    for name in ("goods_value", "shipping_value", "captured_value", "kept_value"):
        pounds = money(_pence(report, name))
        table.add_row(f"{name.replace('_', ' ')} (GBP)", f"{pounds:,}")
    table.add_section()
    for name, number in numbers["returns"].items():
        if name != "value":
            _rows(table, {f"returns: {name.replace('_', ' ')}": number})
    table.add_row("returns: value (GBP)", f"{money(report.returned.amount):,}")
    table.add_section()
    table.add_row("seconds", f"{report.seconds:,.1f}")
    if report.seconds:
        table.add_row("orders per second", f"{numbers['orders']['placed'] / report.seconds:,.0f}")
    console.print(table)
    report.audit.print(console)


def _pence(report: Report, name: str) -> int:
    survey = report.survey
    return {
        "goods_value": survey.goods_value,
        "shipping_value": survey.shipping_value,
        "captured_value": report.captured,
        "kept_value": report.kept,
    }[name]


def _rows(table: Table, numbers: Mapping[str, int]) -> None:
    for name, number in numbers.items():
        table.add_row(name, f"{number:,}")
