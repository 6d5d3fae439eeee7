"""Which values a product may have, the same for staff, imports and the sample shop."""

from django.conf import settings
from moneyed import Money

from apps.common.errors import FieldError, InvalidInput

MAX_PRICE = 9_999_999_999


def check_product(*, sku: str, name: str, price: Money, prefix: str = "") -> None:
    """Raises ``InvalidInput`` naming each field that does not fit."""
    found = []
    for field, value, longest in (("sku", sku, 64), ("name", name, 200)):
        if not value.strip():
            found.append(FieldError(prefix + field, "blank", "This field may not be blank."))
        elif len(value) > longest:
            found.append(FieldError(prefix + field, "max_length", f"At most {longest} characters."))
    if price.currency.code not in settings.CURRENCIES:
        found.append(
            FieldError(f"{prefix}price", "currency", f"The shop does not sell in {price.currency}.")
        )
    if not 0 <= price.amount <= MAX_PRICE:
        found.append(FieldError(f"{prefix}price", "range", f"0 to {MAX_PRICE:,}."))
    elif price.amount != round(price.amount, 2):
        found.append(FieldError(f"{prefix}price", "precision", "At most two decimals."))
    if found:
        raise InvalidInput(errors=found)
