"""Payments and their append-only ledger."""

from django.db import models
from django.db.models.functions import Now
from moneyed import Money

from apps.payments.enums import (
    DiscrepancyKind,
    DiscrepancyState,
    EntryOperation,
    EntryState,
    PaymentMethod,
)


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

    # Without a check in the database: docs/decisions/0017.
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


class MoneyDiscrepancy(models.Model):
    """Where the gateway's record and our books differed, and what became of it.

    The same facts make one row: what a person has resolved stays resolved until they change.
    """

    kind = models.CharField(max_length=21, choices=DiscrepancyKind)
    state = models.CharField(max_length=8, choices=DiscrepancyState)
    reference = models.CharField("reference at the gateway", max_length=64)
    order_id = models.UUIDField(null=True, blank=True)
    detail = models.CharField(max_length=400)
    found_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True)
    reason = models.CharField(max_length=400, blank=True)

    class Meta:
        verbose_name = "money discrepancy"
        verbose_name_plural = "money discrepancies"
        permissions = [("resolve_discrepancy", "Can resolve money discrepancies")]
        indexes = [
            models.Index(fields=["order_id"], name="discrepancy_order"),
            models.Index(fields=["id"], condition=models.Q(state="open"), name="discrepancy_open"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "kind", "detail"], name="discrepancy_fact_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.reference}"


class ReconcilerRun(models.Model):
    """A run of the money reconciler; ``marks`` is where the next one goes on."""

    started_at = models.DateTimeField(db_default=Now())
    seconds = models.FloatField()
    records = models.IntegerField("records of the gateway")
    payments = models.IntegerField("payments of ours")
    mended = models.IntegerField()
    opened = models.IntegerField("for a person")
    cleared = models.IntegerField("agree by now")
    marks = models.JSONField()

    class Meta:
        verbose_name = "reconciler run"

    def __str__(self) -> str:
        return f"{self.started_at:%d %b %Y %H:%M:%S}"
