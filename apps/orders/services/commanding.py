"""Commands on an order that exists: approve, cancel, ship, deliver. Each is one transaction."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from apps.common.correlation import current_request_id
from apps.common.failpoints import failpoint
from apps.messaging.idempotency import once
from apps.messaging.staff_log import staff_changes
from apps.orders.contracts import (
    ApproveOrder,
    CancelOrder,
    CommandAccepted,
    DeliverOrder,
    ShipOrder,
)
from apps.orders.enums import DATABASE, OrderStatus, Review
from apps.orders.errors import (
    CancellationUnderWay,
    CheckoutParked,
    NotHeld,
    OrderNotFound,
    changed_meanwhile,
    not_allowed,
)
from apps.orders.locks import order_locked, orders_locked
from apps.orders.models import Order
from apps.orders.services import moving
from apps.orders.timeline import SUBJECT
from apps.orders.workflows.cancellation import start_cancellation
from apps.orders.workflows.checkout import carried_on
from apps.orders.workflows.dispatching import start_dispatch
from apps.sagas import facade as sagas
from apps.shipping import facade as shipping


def order_cancel(command: CancelOrder) -> CommandAccepted:
    """Asks for an order to be undone; its cancellation saga does it.

    A cancelled order stays cancelled (success). Raises ``OrderNotFound`` (also for another
    customer's), ``InvalidTransition`` once the parcel has left, ``VersionConflict`` where
    ``version`` is stale, ``CheckoutParked`` while its checkout waits for a person, ``KeyReused``
    for a key used otherwise.
    """
    with transaction.atomic(using=DATABASE):
        accepted = once(
            DATABASE,
            command.principal,
            command.key,
            ("cancel", command.order_id, command.reason, command.version),
            CommandAccepted,
            lambda: _cancel(command),
        )
        failpoint("order.cancel.before_commit")
    failpoint("order.cancel.after_commit")
    return accepted


def _cancel(command: CancelOrder) -> CommandAccepted:
    checkout_run = _checkout_of(command.order_id, command.customer_id)
    # The run is locked before the order, as the engine does: the other way round both would wait.
    runs = sagas.request_abort(checkout_run, command.reason)
    order = order_locked(command.order_id)
    if order.status == OrderStatus.CANCELLED:
        return CommandAccepted(order.id, order.status, order.version)
    _check_version(order, command.version)
    if order.status not in (OrderStatus.PENDING, OrderStatus.CONFIRMED):
        raise not_allowed(order.status, OrderStatus.CANCELLED)
    if not runs and sagas.run_status(checkout_run) == "failed":
        raise CheckoutParked()  # its cancellation would end at once, and an order has only one
    _note(order, "cancel", status=OrderStatus.CANCELLED.value, reason=command.reason)
    run = start_cancellation(
        order.id,
        checkout_run=checkout_run,
        reason=command.reason,
        correlation_id=_correlation_id(command),
    )
    return CommandAccepted(order.id, order.status, order.version, run)


def order_approve(command: ApproveOrder) -> CommandAccepted:
    """Lets an order that is held for review go on. An approved one stays approved (success).

    Raises ``NotHeld``, ``VersionConflict``.
    """
    with transaction.atomic(using=DATABASE):
        accepted = _approve(command)
        failpoint("order.approve.before_commit")
    failpoint("order.approve.after_commit")
    return accepted


def _approve(command: ApproveOrder) -> CommandAccepted:
    checkout_run = _checkout_of(command.order_id)
    sagas.wake(checkout_run)  # before the order is locked, as in cancelling
    order = order_locked(command.order_id)
    if order.review == Review.APPROVED:
        return CommandAccepted(order.id, order.status, order.version)
    _check_version(order, command.version)
    if order.review != Review.HELD or order.status != OrderStatus.PENDING:
        raise NotHeld()
    with carried_on(choreographed=sagas.is_choreographed(checkout_run)):
        version = moving.order_approve(order.id, _correlation_id(command))
    _note(order, "approve", review=Review.APPROVED.value)
    return CommandAccepted(order.id, order.status, version, checkout_run)


def orders_ship(commands: Sequence[ShipOrder]) -> list[CommandAccepted]:
    """The parcels left: orders and shipments are marked in one transaction, the stock follows by a
    saga of each. The answers stand in the given order.

    A shipped order stays shipped (success). Raises ``OrderNotFound``, ``InvalidTransition``,
    ``VersionConflict``, ``CancellationUnderWay``: then none is marked.
    """
    with transaction.atomic(using=DATABASE):
        answers = _ship(commands)
        failpoint("order.ship.before_commit")
    failpoint("order.ship.after_commit")
    return answers


def _ship(commands: Sequence[ShipOrder]) -> list[CommandAccepted]:
    orders = orders_locked({one.order_id for one in commands})
    going: dict[UUID, str] = {}
    for command in commands:
        order = orders.get(command.order_id)
        if order is None:
            raise OrderNotFound()
        if order.status == OrderStatus.SHIPPED:
            continue
        _check_version(order, command.version)
        if order.status != OrderStatus.CONFIRMED:
            raise not_allowed(order.status, OrderStatus.SHIPPED)
        going[order.id] = _correlation_id(command)
    tracking = shipping.dispatch(list(going), going)
    if tracking.keys() != going.keys():
        raise CancellationUnderWay()
    versions = moving.orders_ship(tracking, going)
    _notes([orders[one] for one in going], "ship", status=OrderStatus.SHIPPED.value)
    runs = {one: start_dispatch(one, correlation_id=going[one]) for one in going}
    return [
        CommandAccepted(
            one.order_id,
            OrderStatus.SHIPPED.value,
            versions.get(one.order_id, orders[one.order_id].version),
            runs.get(one.order_id),
        )
        for one in commands
    ]


def order_deliver(command: DeliverOrder) -> CommandAccepted:
    """The parcel arrived. A delivered order stays delivered (success)."""
    with transaction.atomic(using=DATABASE):
        accepted = _deliver(command)
        failpoint("order.deliver.before_commit")
    failpoint("order.deliver.after_commit")
    return accepted


def _deliver(command: DeliverOrder) -> CommandAccepted:
    order = order_locked(command.order_id)
    if order.status == OrderStatus.DELIVERED:
        return CommandAccepted(order.id, order.status, order.version)
    _check_version(order, command.version)
    cause = {order.id: _correlation_id(command)}
    if order.status != OrderStatus.SHIPPED or not shipping.deliver([order.id], cause):
        raise not_allowed(order.status, OrderStatus.DELIVERED)
    versions = moving.orders_deliver(cause)
    _note(order, "deliver", status=OrderStatus.DELIVERED.value)
    return CommandAccepted(order.id, OrderStatus.DELIVERED.value, versions[order.id])


def _note(order: Order, action: str, **after: str) -> None:
    _notes([order], action, **after)


def _notes(orders: Sequence[Order], action: str, **after: str) -> None:
    """The staff log's lines on what was asked for; ``before`` holds the same columns."""
    staff_changes(
        DATABASE,
        subject=SUBJECT,
        notes=[
            (
                action,
                order.id,
                {name: getattr(order, name) for name in after if hasattr(order, name)},
                after,
            )
            for order in orders
        ],
    )


def _checkout_of(order_id: UUID, customer_id: UUID | None = None) -> UUID:
    """The run of the order's checkout; another customer's order is as good as none."""
    orders = Order.objects.filter(pk=order_id)
    if customer_id is not None:
        orders = orders.filter(customer_id=customer_id)
    run = orders.values_list("saga_id", flat=True).first()
    if run is None:
        raise OrderNotFound()
    return run


def _correlation_id(command: ApproveOrder | CancelOrder | ShipOrder | DeliverOrder) -> str:
    return command.correlation_id or current_request_id()


def _check_version(order: Order, version: int | None) -> None:
    if version is not None and version != order.version:
        raise changed_meanwhile(order.version)
