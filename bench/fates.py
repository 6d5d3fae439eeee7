"""What becomes of generated orders: the rows that each fate leaves behind, as tables of values."""

from collections.abc import Iterable, Sequence

ORDERS = ("fate", "status", "payment", "fulfillment", "version", "reason", "shipment")
FATES = [
    ("confirmed", "confirmed", "captured", "scheduled", 5, "", "scheduled"),
    ("shipped", "shipped", "captured", "shipped", 6, "", "dispatched"),
    ("delivered", "delivered", "captured", "delivered", 7, "", "delivered"),
    ("cancelled", "cancelled", "refunded", "cancelled", 8, "customer_request", "cancelled"),
    ("out_of_stock", "cancelled", "voided", "not_fulfilled", 4, "out_of_stock", ""),
    ("declined", "cancelled", "declined", "not_fulfilled", 3, "card_declined", ""),
    ("parked", "pending", "authorized", "scheduled", 3, "", "scheduled"),
]
SOLD = ("confirmed", "shipped", "delivered")
KEYS = {"authorization": "authorize", "capture": "capture", "void": "void", "refund": "refund"}
# fate → what was asked of the gateway, and what came of it.
MOVEMENTS = {
    **{fate: [("authorization", "succeeded"), ("capture", "succeeded")] for fate in SOLD},
    "cancelled": [
        ("authorization", "succeeded"),
        ("capture", "succeeded"),
        ("refund", "succeeded"),
    ],
    "out_of_stock": [("authorization", "succeeded"), ("void", "succeeded")],
    "declined": [("authorization", "failed")],
    "parked": [("authorization", "succeeded"), ("capture", "unknown")],
}
MONEY = [
    (fate, 2 * number + part, operation, state, KEYS[operation], code)
    for fate, movements in MOVEMENTS.items()
    for number, (operation, outcome) in enumerate(movements)
    for part, (state, code) in enumerate(
        [("requested", ""), (outcome, {"failed": "card_declined"}.get(outcome, ""))]
    )
]
CHECKOUT = (
    "create_order",
    "authorize_payment",
    "reserve_stock",
    "schedule_shipment",
    "capture_payment",
    "confirm_order",
)
CANCELLATION = (
    "stop_checkout",
    "cancel_shipment",
    "release_stock",
    "return_payment",
    "cancel_order",
)
DISPATCH = ("dispatch_shipment", "sell_stock")
KINDS = {"checkout": CHECKOUT, "cancellation": CANCELLATION, "dispatch": DISPATCH}
RUNS = [
    *((fate, "checkout", "completed", 5, "confirm_order", "F", "") for fate in SOLD),
    ("cancelled", "checkout", "completed", 5, "confirm_order", "F", ""),
    ("cancelled", "cancellation", "completed", 4, "cancel_order", "F", ""),
    ("shipped", "dispatch", "completed", 1, "sell_stock", "F", ""),
    ("delivered", "dispatch", "completed", 1, "sell_stock", "F", ""),
    ("out_of_stock", "checkout", "compensated", 0, "create_order", "B", "out_of_stock"),
    ("declined", "checkout", "compensated", 0, "create_order", "B", "card_declined"),
    ("parked", "checkout", "failed", 4, "capture_payment", "F", "unanswered"),
]


def _steps() -> Iterable[tuple]:
    """(fate, kind, place in time, position, direction, name, status, error) of every step."""
    for fate, kind, status, *_, error in RUNS:
        names = KINDS[kind]
        failed = {"out_of_stock": 2, "declined": 1, "parked": 4}.get(fate, len(names))
        done = [(i, "F", "completed", "") for i in range(min(failed, len(names)))]
        if status == "compensated":
            done.append((failed, "F", "failed", error))
            done += [(i, "B", "compensated", "") for i in reversed(range(failed))]
        elif status == "failed":
            done.append((failed, "F", "unknown", error))
        for place, (at, direction, became, why) in enumerate(done):
            yield fate, kind, place, at, direction, names[at], became, why


STEPS = list(_steps())


def values(rows: Sequence[tuple], columns: Sequence[str]) -> str:
    """``rows`` as a subquery; the texts are this module's own words and need no quoting."""
    body = ", ".join(
        "(" + ", ".join(str(v) if isinstance(v, int) else f"'{v}'" for v in row) + ")"
        for row in rows
    )
    return f"SELECT * FROM (VALUES {body}) one ({', '.join(columns)})"
