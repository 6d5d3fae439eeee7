"""What the API, the admin, imports and commands may do with orders."""

from uuid import UUID

from apps.orders import selectors
from apps.orders.contracts import (
    ApproveOrder,
    CancelOrder,
    CommandAccepted,
    DeliverOrder,
    ImportOrder,
    OrderPlaced,
    OrderView,
    PlaceOrder,
    ShipOrder,
)
from apps.orders.models import Order
from apps.orders.services import commanding, placing
from apps.sagas import facade as sagas
from apps.sagas.contracts import RunView


def place_order(command: PlaceOrder | ImportOrder) -> OrderPlaced:
    """Accepts an order, once per key (or external reference); its checkout saga carries it out.

    Raises ``InvalidInput`` naming the field, ``KeyReused`` (422), ``StillRunning`` (409).
    """
    if isinstance(command, ImportOrder):
        return placing.order_import(command)
    return placing.order_place(command)


def cancel_order(command: CancelOrder) -> CommandAccepted:
    """Asks for an order to be undone; its cancellation saga carries it out."""
    return commanding.order_cancel(command)


def approve_order(command: ApproveOrder) -> CommandAccepted:
    """Lets an order that is held for review go on to be shipped and paid."""
    return commanding.order_approve(command)


def ship_order(command: ShipOrder) -> CommandAccepted:
    """Marks an order shipped; its dispatch saga takes the goods from stock."""
    return commanding.order_ship(command)


def deliver_order(command: DeliverOrder) -> CommandAccepted:
    """Marks a shipped order delivered."""
    return commanding.order_deliver(command)


def get_order(order_id: UUID, *, customer_id: UUID | None = None) -> OrderView | None:
    """The order; None where it doesn't exist or isn't ``customer_id``'s (None: staff see all)."""
    orders = Order.objects.filter(pk=order_id).prefetch_related("lines")
    if customer_id is not None:
        orders = orders.filter(customer_id=customer_id)
    order = orders.first()
    return selectors.order_view(order) if order else None


def get_saga(saga_id: UUID, *, customer_id: UUID | None = None) -> RunView | None:
    """A saga of an order; None where it doesn't exist or its order isn't ``customer_id``'s."""
    run = sagas.run_view(saga_id)
    if run is None:
        return None
    owner = selectors.owners_of([UUID(run.business_key)]).get(UUID(run.business_key))
    if owner is None or (customer_id is not None and owner != customer_id):
        return None
    return run
