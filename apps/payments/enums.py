"""The words of the payment ledger."""

from django.db.models import TextChoices

DATABASE = "orders"


class PaymentMethod(TextChoices):
    CARD = "card"
    ACCOUNT = "account", "On account"  # no gateway: only the shop's own books move


class EntryOperation(TextChoices):
    AUTHORIZATION = "authorization"
    CAPTURE = "capture"
    REFUND = "refund"
    VOID = "void"


class EntryState(TextChoices):
    REQUESTED = "requested"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


# The gateway key of a movement: one per payment and operation, for ever.
KEY_NAME = {
    EntryOperation.AUTHORIZATION: "authorize",
    EntryOperation.CAPTURE: "capture",
    EntryOperation.REFUND: "refund",
    EntryOperation.VOID: "void",
}

# Why the shop itself closed an entry without an answer of the gateway.
CANCELLED = "cancelled"  # reversed before it was asked for: it must never be
REVERSED = "reversed"  # the payment is being or has been undone
NOT_NEEDED = "not_needed"  # of void and refund the other one was it
NOT_CAPTURED = "not_captured"  # the void came before the capture
UNANSWERED = "unanswered"  # an earlier request left no answer on record

# Why a refund is not asked for at all.
EXCEEDS_CAPTURED = "exceeds_captured"  # more than is left of what was captured
