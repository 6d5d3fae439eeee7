"""What staff may do with an order from its page, now."""

from dataclasses import dataclass
from uuid import UUID

from django import forms
from django.contrib.auth.base_user import AbstractBaseUser
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from apps.orders import facade
from apps.orders.contracts import ApproveOrder, CancelOrder, DeliverOrder, ShipOrder
from apps.orders.enums import NEXT, OrderStatus, Review
from apps.orders.models import Order


@dataclass(frozen=True, slots=True)
class Move:
    """A button: ``to`` is the status that it asks for (None: it approves a held order); ``tone``
    is its colour."""

    name: str
    title: str
    icon: str
    to: OrderStatus | None
    done: str
    tone: str = "primary"
    wants_reason: bool = False
    permission: str = "orders.move_order"

    def fits(self, order: Order) -> bool:
        """Whether the order's present state allows it."""
        if self.to is None:
            return order.review == Review.HELD and order.status == OrderStatus.PENDING
        return self.to in NEXT[order.status]


MOVES = (
    Move(
        "approve",
        "Approve",
        "how_to_reg",
        None,
        "is approved",
        permission="orders.approve_order",
    ),
    Move("ship", "Ship", "local_shipping", OrderStatus.SHIPPED, "is shipped"),
    Move("deliver", "Mark delivered", "inventory", OrderStatus.DELIVERED, "is delivered"),
    Move(
        "cancel",
        "Cancel order",
        "block",
        OrderStatus.CANCELLED,
        "is being cancelled",
        tone="danger",
        wants_reason=True,
    ),
)
BY_NAME = {move.name: move for move in MOVES}


def moves_of(order: Order, user: AbstractBaseUser) -> list[Move]:
    """The moves that the order's present state and the person's permissions allow."""
    return [move for move in MOVES if move.fits(order) and user.has_perm(move.permission)]


class MoveForm(forms.Form):
    """``version`` is the one the page showed: a newer order is not touched."""

    version = forms.IntegerField(min_value=1, widget=UnfoldAdminIntegerFieldWidget)
    reason = forms.CharField(
        max_length=60, required=False, widget=UnfoldAdminTextInputWidget, strip=True
    )

    def __init__(self, *args, move: Move, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = move.wants_reason


def carry_out(
    move: Move, *, order_id: UUID, version: int, reason: str, user: AbstractBaseUser
) -> None:
    """Does it through the facade; raises its errors."""
    match move.name:
        case "approve":
            facade.approve_order(ApproveOrder(order_id, version))
        case "ship":
            facade.ship_order(ShipOrder(order_id, version))
        case "deliver":
            facade.deliver_order(DeliverOrder(order_id, version))
        case "cancel":
            facade.cancel_order(
                CancelOrder(
                    principal=f"staff:{user.public_id}",
                    key=f"cancel:{order_id}:{version}",
                    order_id=order_id,
                    reason=reason,
                    version=version,
                )
            )
