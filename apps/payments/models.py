"""Payments and their append-only ledger."""

from django.db import models
from django.db.models.functions import Now
from moneyed import Money

from apps.payments.enums import EntryOperation, EntryState, PaymentMethod


class Payment(models.Model):
    """The one payment of an order. Its id is our reference at the gateway."""

    id = models.UUIDField("reference", primary_key=True)
    order_id = models.UUIDField(unique=True)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    method = models.CharField(
        max_length=7, choices=PaymentMethod, default=PaymentMethod.CARD, db_default="card"
    )
    card_token = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(amount__gt=0), name="payment_amount_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(method=PaymentMethod.CARD) & ~models.Q(card_token="")
                | models.Q(method=PaymentMethod.ACCOUNT, card_token=""),
                name="payment_card_has_token",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


class PaymentEntry(models.Model):
    """A line of the ledger: what was asked of the gateway, and what came of it."""

    # Without a check in the database: docs/decisions/0013.
    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="entries", db_constraint=False
    )
    operation = models.CharField(max_length=13, choices=EntryOperation)
    state = models.CharField(max_length=9, choices=EntryState)
    amount = models.DecimalField(max_digits=14, decimal_places=2)
    currency = models.CharField(max_length=3)
    refund_id = models.UUIDField(null=True, blank=True)  # of a refund of a part
    idempotency_key = models.CharField(max_length=100)
    gateway_reference = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=60, blank=True)
    detail = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "ledger entry"
        verbose_name_plural = "payment ledger"
        indexes = [
            models.Index(
                fields=["refund_id"],
                condition=models.Q(refund_id__isnull=False),
                name="payment_entry_refund",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(refund_id=None) | models.Q(operation=EntryOperation.REFUND),
                name="payment_entry_refund_id",
            ),
            # A repeat after a crash writes nothing twice …
            models.UniqueConstraint(
                fields=["idempotency_key", "state"],
                condition=models.Q(state__in=[EntryState.REQUESTED, EntryState.UNKNOWN]),
                name="payment_entry_state_once",
            ),
            # … and what is settled is settled one way.
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=models.Q(state__in=[EntryState.SUCCEEDED, EntryState.FAILED]),
                name="payment_entry_settled_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.state}"
