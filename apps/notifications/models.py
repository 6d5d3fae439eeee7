"""E-mails to be sent and sent, what customers want, and what mails are made of.

Recipients and orders are copies from events: no other app's tables are read.
"""

from django.db import models
from django.db.models.functions import Now

from apps.notifications.enums import OPEN_STATES, EmailState, Kind


class Recipient(models.Model):
    """A customer as the newest of their events has told of them."""

    customer_id = models.UUIDField(primary_key=True)
    email = models.EmailField("e-mail address", max_length=254)
    name = models.CharField(max_length=150)
    gone = models.BooleanField("deleted", default=False, db_default=False)
    version = models.BigIntegerField()

    class Meta:
        verbose_name = "mail recipient"

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class OrderFacts(models.Model):
    """An order as it was placed, for the mails about it."""

    order_id = models.UUIDField(primary_key=True)
    customer_id = models.UUIDField()
    placed_at = models.DateTimeField()
    currency = models.CharField(max_length=3)
    goods_total = models.DecimalField(max_digits=14, decimal_places=2)
    shipping_total = models.DecimalField(max_digits=14, decimal_places=2)
    total = models.DecimalField(max_digits=14, decimal_places=2)
    lines = models.JSONField(help_text="name, sku, quantity, unit_price")

    class Meta:
        verbose_name = verbose_name_plural = "order facts for mails"

    def __str__(self) -> str:
        return str(self.order_id)


class Preference(models.Model):
    """Which mails a customer wants; one who has said nothing wants all."""

    customer_id = models.UUIDField(primary_key=True)
    order_confirmed = models.BooleanField(default=True, db_default=True)
    order_shipped = models.BooleanField(default=True, db_default=True)
    order_cancelled = models.BooleanField(default=True, db_default=True)
    order_refunded = models.BooleanField(default=True, db_default=True)
    version = models.PositiveIntegerField(default=1, db_default=1)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "mail preference"

    def __str__(self) -> str:
        return str(self.customer_id)


class Email(models.Model):
    """A mail that an event asks for: once per event and kind, and once more for each ``copy`` that
    staff ask for.

    Recipient, subject and ``context`` are settled when it is first claimed and stay, so that a
    repeat is the same mail. ``facts`` are what the event told.
    """

    event_id = models.UUIDField()
    kind = models.CharField(max_length=20, choices=Kind)
    copy = models.PositiveSmallIntegerField(default=0, db_default=0)
    customer_id = models.UUIDField()
    order_id = models.UUIDField(null=True)
    facts = models.JSONField(default=dict)
    occurred_at = models.DateTimeField()
    correlation_id = models.CharField(max_length=64, default="", db_default="")
    recipient = models.EmailField(max_length=254, default="", db_default="")
    subject = models.CharField(max_length=200, default="", db_default="")
    context = models.JSONField(null=True)
    state = models.CharField(
        max_length=8, choices=EmailState, default=EmailState.PENDING, db_default="pending"
    )
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    next_attempt_at = models.DateTimeField(db_default=Now())
    lease_token = models.UUIDField(null=True)
    error = models.CharField(max_length=400, default="", db_default="")
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "e-mail"
        permissions = [("resend_email", "Can send e-mails again")]
        constraints = [
            models.UniqueConstraint(fields=["event_id", "kind", "copy"], name="email_once")
        ]
        indexes = [
            # Of one that is being sent this is when its lease ends.
            models.Index(
                fields=["next_attempt_at", "id"],
                condition=models.Q(state__in=OPEN_STATES),
                name="email_due",
            ),
            models.Index(fields=["order_id"], name="email_order"),
            models.Index(fields=["customer_id"], name="email_customer"),
            models.Index(fields=["recipient"], name="email_recipient"),
            models.Index(fields=["-id"], condition=models.Q(state="failed"), name="email_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} to {self.recipient or self.customer_id}"
