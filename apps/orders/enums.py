"""The three axes of an order's state, and what may follow what."""

from django.db.models import TextChoices

DATABASE = "orders"


class OrderStatus(TextChoices):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class PaymentStatus(TextChoices):
    NOT_PAID = "not_paid"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"
    DECLINED = "declined"


class FulfillmentStatus(TextChoices):
    NOT_FULFILLED = "not_fulfilled"
    SCHEDULED = "scheduled"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class Review(TextChoices):
    """Whether a person has to approve the order before its money is taken."""

    NONE = "none"
    HELD = "held", "Held for review"
    APPROVED = "approved"


class ReturnStatus(TextChoices):
    """``requested`` waits for staff to decide; then its saga works, and only a refund that the
    gateway declines for good still refuses it."""

    REQUESTED = "requested"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    REFUSED = "refused"


NEXT: dict[str, tuple[str, ...]] = {
    OrderStatus.PENDING: (OrderStatus.CONFIRMED, OrderStatus.CANCELLED),
    OrderStatus.CONFIRMED: (OrderStatus.SHIPPED, OrderStatus.CANCELLED),
    OrderStatus.SHIPPED: (OrderStatus.DELIVERED,),
    OrderStatus.DELIVERED: (),
    OrderStatus.CANCELLED: (),
}
