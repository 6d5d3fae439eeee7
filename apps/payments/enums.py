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

FOUND = "found"  # the gateway's record told the reconciler


class DiscrepancyKind(TextChoices):
    ORPHAN_AUTHORIZATION = "orphan_authorization", "Held for an order that is undone"
    DEAD_CAPTURE = "dead_capture", "Kept for an order that is undone"
    UNRECORDED_ANSWER = "unrecorded_answer", "Answer missing in our ledger"
    UNSETTLED = "unsettled", "Movement without an answer"
    UNKNOWN_AUTHORIZATION = "unknown_authorization", "Held, unknown to our ledger"
    UNKNOWN_CAPTURE = "unknown_capture", "Kept, unknown to our ledger"
    CAPTURED_TWICE = "captured_twice", "Captured twice"
    UNKNOWN_REFUND = "unknown_refund", "Refund unknown to our ledger"
    AMOUNTS_DIFFER = "amounts_differ", "Amounts differ"
    STATES_DIFFER = "states_differ", "States differ"
    UNKNOWN_TO_GATEWAY = "unknown_to_gateway", "Unknown to the gateway"
    ON_ACCOUNT_AT_GATEWAY = "on_account_at_gateway", "On account, yet at the gateway"


class DiscrepancyState(TextChoices):
    OPEN = "open", "Wants a person"
    MENDED = "mended", "Mended by itself"
    RESOLVED = "resolved"
