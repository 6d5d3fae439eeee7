"""Words of the notifications' room."""

from django.db import models

DATABASE = "default"


class Kind(models.TextChoices):
    """What a mail tells."""

    WELCOME = "welcome", "Welcome"
    ORDER_CONFIRMED = "order_confirmed", "Order confirmed"
    ORDER_SHIPPED = "order_shipped", "Order shipped"
    ORDER_CANCELLED = "order_cancelled", "Order cancelled"
    ORDER_REFUNDED = "order_refunded", "Order refunded"


# What customers may do without; everything else is sent to everybody.
OPTIONAL = (
    Kind.ORDER_CONFIRMED,
    Kind.ORDER_SHIPPED,
    Kind.ORDER_CANCELLED,
    Kind.ORDER_REFUNDED,
)


class EmailState(models.TextChoices):
    """``sending`` is under a lease; ``sent``, ``failed`` and ``skipped`` are final."""

    PENDING = "pending", "Pending"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    SKIPPED = "skipped", "Skipped"


OPEN_STATES = (EmailState.PENDING, EmailState.SENDING)
