"""What can be wrong with a command on an order."""

from apps.common.errors import (
    Conflict,
    FieldError,
    HoldfastError,
    InvalidTransition,
    NotFound,
    VersionConflict,
)
from apps.orders.enums import NEXT


class OrderNotFound(NotFound):
    title = "No such order"


def not_allowed(status: str, wanted: str) -> InvalidTransition:
    """The error for a jump that the states do not allow; names those that are."""
    return InvalidTransition(
        f"an order that is {status} cannot become {wanted}",
        status_now=str(status),
        allowed=[str(one) for one in NEXT[status]],
    )


def changed_meanwhile(version: int, what: str = "order") -> VersionConflict:
    """The error for a stale ``version``; carries the present one."""
    return VersionConflict(f"the {what} is at version {version} now", version=version)


class CheckoutParked(Conflict):
    code, title = "checkout_parked", "Staff are looking after the order's checkout"


class NotOnAccount(HoldfastError):
    code, status = "payment_method_not_allowed", 422
    title = "This customer does not buy on account"

    def __init__(self):
        text = "Ask the shop to let you buy on account, or pay by card."
        super().__init__(errors=[FieldError("payment_method", "not_allowed", text)])


class NotReturnable(Conflict):
    code, title = "not_returnable", "Only orders that were shipped can be returned"


class ReturnNotFound(NotFound):
    title = "No such return"


class ReturnDecided(Conflict):
    code, title = "return_decided", "The return was decided otherwise"


class NotHeld(Conflict):
    code, title = "not_held", "The order is not held for review"


class CancellationUnderWay(Conflict):
    code, title = "cancellation_under_way", "The order is being cancelled"
