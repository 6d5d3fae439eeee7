"""The trade in numbers, for the dashboard. Days are UTC's."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from apps.common.databases import fetch_all
from apps.orders.audit.models import AuditRun
from apps.orders.enums import DATABASE


@dataclass(frozen=True, slots=True)
class Day:
    """Orders placed on ``day`` in one currency; ``revenue`` is the total of those that are paid,
    less what was given back for returns."""

    day: date
    orders: int
    revenue: Decimal


@dataclass(frozen=True, slots=True)
class LastAudit:
    """The latest audit; ``error`` says why it could not be finished."""

    started_at: datetime
    violations: int
    error: str


def days(*, count: int) -> dict[str, list[Day]]:
    """The last ``count`` days, today included, oldest first, by currency; empty days are zero."""
    today = timezone.now().date()
    first = today - timedelta(days=count - 1)
    rows = fetch_all(
        DATABASE,
        """
        SELECT currency, (placed_at AT TIME ZONE 'UTC')::date, count(*),
               coalesce(sum(total - returned_total) FILTER (
                   WHERE status <> 'cancelled'
                     AND payment_status IN ('captured', 'partially_refunded', 'refunded')), 0)
        FROM orders_order
        WHERE placed_at >= %s::date::timestamp AT TIME ZONE 'UTC'
            AND placed_at < (%s::date + 1)::timestamp AT TIME ZONE 'UTC'
        GROUP BY 1, 2
        """,
        [first, today],
    )
    found = {(currency, day): (orders, revenue) for currency, day, orders, revenue in rows}
    return {
        currency: [
            Day(day, *found.get((currency, day), (0, Decimal("0.00"))))
            for day in (first + timedelta(days=n) for n in range(count))
        ]
        for currency in sorted({row[0] for row in rows})
    }


def by_status() -> dict[str, int]:
    """How many orders there are in each state."""
    return dict(fetch_all(DATABASE, "SELECT status, count(*) FROM orders_order GROUP BY status"))


def last_audit() -> LastAudit | None:
    """The latest audit, if there was one."""
    row = (
        AuditRun.objects.using(DATABASE)
        .order_by("-started_at")
        .values_list("started_at", "violations", "error")
        .first()
    )
    return row and LastAudit(*row)
