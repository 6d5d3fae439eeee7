"""What the API, the admin, imports and commands may do with orders."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from apps.orders import selectors
from apps.orders.contracts import (
    ApproveOrder,
    ApproveReturn,
    CancelOrder,
    CommandAccepted,
    DeliverOrder,
    ImportOrder,
    ImportReturn,
    OrderPlaced,
    OrderView,
    PlaceOrder,
    RefuseReturn,
    RequestReturn,
    ReturnAccepted,
    ReturnItems,
    ShipOrder,
)
from apps.orders.models import Order
from apps.orders.services import commanding, placing, returning
from apps.sagas import facade as sagas
from apps.sagas.contracts import RunView


def place_order(command: PlaceOrder | ImportOrder) -> OrderPlaced:
    """Accepts an order, once per key (or external reference); its checkout saga carries it out.

    Raises ``InvalidInput`` naming the field, ``KeyReused`` (422), ``StillRunning`` (409).
    """
    if isinstance(command, ImportOrder):
        return placing.order_import(command)
    return placing.order_place(command)


def find_placed(command: PlaceOrder) -> OrderPlaced | None:
    """The receipt where the command's key has placed its order already. Raises ``KeyReused``."""
    return placing.order_placed_already(command)


def cancel_order(command: CancelOrder) -> CommandAccepted:
    """Asks for an order to be undone; its cancellation saga carries it out."""
    return commanding.order_cancel(command)


def approve_order(command: ApproveOrder) -> CommandAccepted:
    """Lets an order that is held for review go on to be shipped and paid."""
    return commanding.order_approve(command)


def ship_order(command: ShipOrder) -> CommandAccepted:
    """Marks an order shipped; its dispatch saga takes the goods from stock."""
    return commanding.orders_ship([command])[0]


def ship_orders(commands: Sequence[ShipOrder]) -> list[CommandAccepted]:
    """As ``ship_order`` for a batch, in one transaction: all or none."""
    return commanding.orders_ship(commands)


def deliver_order(command: DeliverOrder) -> CommandAccepted:
    """Marks a shipped order delivered."""
    return commanding.order_deliver(command)


def return_items(command: ReturnItems) -> ReturnAccepted:
    """Staff take goods back or refund an amount; the return saga carries it out."""
    return returning.return_take(command)


def request_return(command: RequestReturn) -> ReturnAccepted:
    """A customer asks to send goods back; staff decide."""
    return returning.return_request(command)


def approve_return(command: ApproveReturn) -> ReturnAccepted:
    """Takes back what a customer asked to send back; the return saga carries it out."""
    return returning.return_approve(command)


def refuse_return(command: RefuseReturn) -> ReturnAccepted:
    """Does not take back what a customer asked to send back."""
    return returning.return_refuse(command)


def import_returns(commands: Sequence[ImportReturn]) -> list[ReturnAccepted]:
    """Takes down returns of another system, each once for ever, in one transaction."""
    return returning.returns_import(commands)


def get_order(order_id: UUID, *, customer_id: UUID | None = None) -> OrderView | None:
    """The order; None where it doesn't exist or isn't ``customer_id``'s (None: staff see all)."""
    orders = Order.objects.filter(pk=order_id).prefetch_related("lines")
    if customer_id is not None:
        orders = orders.filter(customer_id=customer_id)
    order = orders.first()
    return selectors.order_view(order) if order else None


def get_saga(saga_id: UUID, *, customer_id: UUID | None = None) -> RunView | None:
    """A saga of an order or of its return, by its order's key; None where it doesn't exist or its
    order isn't ``customer_id``'s."""
    run = sagas.run_view(saga_id)
    if run is None:
        return None
    order_id, owner = selectors.order_behind(UUID(run.business_key))
    if owner is None or (customer_id is not None and owner != customer_id):
        return None
    return replace(run, business_key=str(order_id))
