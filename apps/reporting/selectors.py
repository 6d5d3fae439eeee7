"""Reads of the read model."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q, QuerySet
from moneyed import Money

from apps.common.lists import is_uuid
from apps.reporting.enums import NOWHERE, REST, Dimension
from apps.reporting.models import (
    CategoryName,
    CustomerName,
    DailySales,
    OrderView,
    OrderViewLine,
    ProductName,
)

MOST_WORDS = 8
REST_TITLE, NOWHERE_TITLE = "Shipping and other", "No category"


def order_views() -> QuerySet[OrderView]:
    """All orders that are known well enough to be shown."""
    return OrderView.objects.filter(placed_at__isnull=False)


def order_views_of(customer_id: UUID | None) -> QuerySet[OrderView]:
    """A customer's."""
    return order_views().filter(customer_id=customer_id)


def matching(views: QuerySet[OrderView], text: str) -> QuerySet[OrderView]:
    """Those of ``views`` with an id, a customer or goods that ``text`` names: each word begins one
    of the words of a product's name or SKU, or of the customer's name; or all of ``text`` begins
    the e-mail address."""
    text = text.strip()
    if is_uuid(text):
        return views.filter(Q(order_id=text) | Q(customer_id=text))
    customers = Q(email__startswith=text.lower())
    words = re.findall(r"\w+", text.lower())[:MOST_WORDS]
    if words:
        customers |= Q(words=_beginning(words))
    people = CustomerName.objects.annotate(words=SearchVector("name", config="simple"))
    found = people.filter(customers).values("customer_id")
    ids = OrderView.objects.filter(customer_id__in=found).values("order_id")
    if words:
        lines = OrderViewLine.objects.annotate(words=SearchVector("sku", "name", config="simple"))
        ids = lines.filter(words=_beginning(words)).values("order_id").union(ids)
    return views.filter(order_id__in=ids)


def _beginning(words: list[str]) -> SearchQuery:
    return SearchQuery(
        " & ".join(f"{word}:*" for word in words), search_type="raw", config="simple"
    )


def lines_of(order_ids: Collection[UUID]) -> dict[UUID, list[OrderViewLine]]:
    """order → its lines, in order."""
    lines = defaultdict(list)
    for line in OrderViewLine.objects.filter(order_id__in=order_ids).order_by("position"):
        lines[line.order_id].append(line)
    return lines


def order_view_data(view: OrderView, lines: Iterable[OrderViewLine]) -> dict[str, Any]:
    """The order as the API shows it."""
    lines = list(lines)
    money = {
        name: Money(getattr(view, name), view.currency)
        for name in ("subtotal", "shipping", "total", "refunded")
    }
    return money | {
        "id": view.order_id,
        "customer_id": view.customer_id,
        "customer_name": view.customer_name,
        "customer_email": view.customer_email,
        "status": view.status,
        "payment_status": view.payment_status,
        "fulfillment_status": view.fulfillment_status,
        "status_display": view.status_display,
        "item_count": view.item_count,
        "country": view.country,
        "placed_at": view.placed_at,
        "updated_at": view.updated_at,
        "version": view.order_version,
        "product_names": list(dict.fromkeys(line.name for line in lines)),
        "lines": [
            {
                "position": line.position,
                "product_id": line.product_id,
                "sku": line.sku,
                "name": line.name,
                "quantity": line.quantity,
                "unit_price": Money(line.unit_price, view.currency),
                "total": Money(line.unit_price * line.quantity, view.currency),
            }
            for line in lines
        ],
    }


def daily_sales(dimension: str) -> QuerySet[DailySales]:
    """The cells of one dimension."""
    return DailySales.objects.filter(dimension=dimension)


def titles(rows: Iterable[DailySales]) -> dict[tuple[str, str], str]:
    """(dimension, key) → what people call it."""
    keys: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        keys[row.dimension].add(row.key)
    found = {("country", code): code for code in keys[Dimension.COUNTRY]}
    for dimension, model, pk in (
        (Dimension.PRODUCT.value, ProductName, "product_id"),
        (Dimension.CATEGORY.value, CategoryName, "category_id"),
    ):
        found[dimension, REST], found[dimension, NOWHERE] = REST_TITLE, NOWHERE_TITLE
        ids = keys[dimension] - {REST, NOWHERE}
        if ids:
            names = model.objects.filter(pk__in=ids).values_list(pk, "name")
            found |= {(dimension, str(key)): name for key, name in names}
    return found


def daily_sales_data(row: DailySales, title: str) -> dict[str, Any]:
    """The cell as the API shows it."""
    return {
        "day": row.day,
        "by": row.dimension,
        "key": row.key,
        "name": title,
        "orders": row.orders,
        "pieces": row.pieces,
        "revenue": Money(row.revenue, row.currency),
        "refunds": Money(row.refunds, row.currency),
        "net": Money(row.revenue - row.refunds, row.currency),
    }
