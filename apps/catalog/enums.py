"""The catalogue's fixed vocabulary."""

from django.db import models

DATABASE = "catalog"


class ReservationStatus(models.TextChoices):
    LIVE = "live"
    RELEASED = "released"
    SOLD = "sold"


class LedgerKind(models.TextChoices):
    """Why stock moved: the signs of each kind are fixed by a CHECK on the ledger."""

    RECEIVED = "received"
    RESERVED = "reserved"
    RELEASED = "released"
    SOLD = "sold"
    RETURNED = "returned"
    ADJUSTED = "adjusted"


class ProductState(models.TextChoices):
    """Which products a list shows; customers see those for sale."""

    FOR_SALE = "for_sale"
    INACTIVE = "inactive"
    DELETED = "deleted"
    ANY = "any"


class CategoryState(models.TextChoices):
    LIVING = "living"
    DELETED = "deleted"
