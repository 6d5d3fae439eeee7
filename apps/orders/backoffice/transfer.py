"""Orders by CSV and XLSX: a row is a line, rows that follow each other with one reference are an
order as another system sold it."""

from datetime import datetime
from itertools import takewhile

from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from import_export.fields import Field

from apps.catalog import facade as catalog
from apps.common.errors import HoldfastError, InvalidInput
from apps.common.transfer.resources import Refused, Row, ServiceResource, money, whole, wrong
from apps.customers import facade as customers
from apps.customers.contracts import Address
from apps.orders import facade
from apps.orders.contracts import ImportedLine, ImportOrder
from apps.orders.models import Order
from apps.orders.services.placing import MAX_QUANTITY

PLACE = ("line1", "line2", "city", "region", "postal_code", "country")
MAX_REFERENCE = 64


class OrderResource(ServiceResource):
    """Orders of known customers, of products for sale. A known reference changes nothing."""

    title, permission = "Orders", "orders.add_order"
    columns = {
        "reference": True,
        "email": True,
        "sku": True,
        "quantity": True,
        "unit_price": True,
        "currency": False,
        "shipping": False,
        "placed_at": True,
        "card_token": True,
        "name": True,
    } | {name: name in ("line1", "city", "country") for name in PLACE}
    reference = Field(attribute="external_reference", column_name="reference")

    class Meta:
        model = Order
        fields = (
            *("id", "reference", "status", "payment_status", "fulfillment_status", "currency"),
            *("goods_total", "shipping_total", "total", "customer_id", "placed_at"),
        )
        export_order = fields

    def take(self, row: Row, number: int) -> bool:
        reference = row["reference"]
        if not 1 <= len(reference) <= MAX_REFERENCE:
            raise wrong("reference", f"1 to {MAX_REFERENCE} characters.")
        before = self.rows[: number - 1]
        if before and before[-1]["reference"] == reference:
            return True  # a line of the order that its first row placed
        if any(one["reference"] == reference for one in before):
            raise wrong("reference", "The rows of an order must follow each other.")
        rows = list(takewhile(lambda one: one["reference"] == reference, self.rows[number - 1 :]))
        known = Order.objects.filter(external_reference=reference).exists()
        command = self._command(rows, number)
        try:
            facade.place_order(command)
        except InvalidInput as error:
            raise Refused(self._told(error, number)) from error
        return not known

    def _command(self, rows: list[Row], number: int) -> ImportOrder:
        first = rows[0]
        customer = customers.find_customer(first["email"])
        if customer is None:
            raise wrong("email", f"There is no customer “{first['email']}”.")
        address = Address(name=first["name"], **{name: first[name] for name in PLACE})
        return ImportOrder(
            external_reference=first["reference"],
            customer_id=customer.customer_id,
            lines=tuple(self._line(row, number + n) for n, row in enumerate(rows)),
            shipping=money(
                first | {"shipping": first["shipping"] or "0.00"},
                "shipping",
                settings.DEFAULT_CURRENCY,
            ),
            card_token=_token(first),
            address=customers.check_address(address),
            placed_at=_moment(first),
        )

    def _line(self, row: Row, number: int) -> ImportedLine:
        try:
            offer = self._offers().get(row["sku"])
            if offer is None:
                raise wrong("sku", f"There is no product “{row['sku']}” for sale.")
            return ImportedLine(
                offer,
                whole(row, "quantity", most=MAX_QUANTITY),
                money(row, "unit_price", settings.DEFAULT_CURRENCY),
            )
        except HoldfastError as error:
            told = "; ".join(f"{one.field}: {one.detail}" for one in error.errors)
            raise Refused(f"{told} (line in row {number})") from error

    def _offers(self) -> dict:
        """sku → product id of all the file names; asked once."""
        if not hasattr(self, "_known"):
            self._known = catalog.find_products({row["sku"] for row in self.rows})
        return self._known

    def _told(self, error: InvalidInput, number: int) -> str:
        """``lines[2].quantity`` is ``quantity`` in the second row after the order's first."""
        told = []
        for one in error.errors:
            line, _, column = one.field.rpartition(".")
            index = line.removeprefix("lines[").removesuffix("]")
            where = f" (line in row {number + int(index)})" if index.isdigit() else ""
            column = "sku" if column == "product_id" else column
            told.append(f"{column}: {one.detail}{where}")
        return "; ".join(told) or error.detail


def _token(row: Row) -> str:
    if not 1 <= len(row["card_token"]) <= MAX_REFERENCE:
        raise wrong("card_token", f"1 to {MAX_REFERENCE} characters.")
    return row["card_token"]


def _moment(row: Row) -> datetime:
    try:
        moment = parse_datetime(row["placed_at"])
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise wrong("placed_at", "A time with its zone, e.g. 2026-11-20T09:30:00Z.")
    if moment > timezone.now():
        raise wrong("placed_at", "It lies in the future.")
    return moment
