"""Money and dates as mails show them; both travel as JSON."""

from datetime import datetime
from decimal import Decimal

from django import template
from django.utils.formats import date_format
from moneyed import Money
from moneyed.l10n import format_money

register = template.Library()
LOCALE = "en_GB"


@register.filter
def money(value: dict[str, str]) -> str:
    """``£1,234.50`` for ``{"amount": "1234.50", "currency": "GBP"}``."""
    return format_money(Money(Decimal(value["amount"]), value["currency"]), locale=LOCALE)


@register.filter
def times(value: dict[str, str], quantity: int) -> dict[str, str]:
    """What ``quantity`` pieces cost."""
    return value | {"amount": str(Decimal(value["amount"]) * quantity)}


@register.filter
def positive(value: dict[str, str]) -> bool:
    return Decimal(value["amount"]) > 0


@register.filter
def day(value: str) -> str:
    """``20 November 2026`` for an ISO 8601 time."""
    return date_format(datetime.fromisoformat(value), "j F Y")
