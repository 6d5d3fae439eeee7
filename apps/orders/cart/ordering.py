"""An order of what is in the cart.

The order gets the cart's id. So a cart is ordered at most once, whatever is lost or repeated: the
orders' primary key refuses the second time. The cart is emptied after the order is placed; if that
does not happen, whoever looks at the cart next finds the mark that was left before, and the order.
"""

from dataclasses import replace
from uuid import UUID

import structlog
from django.db import DatabaseError, IntegrityError, InterfaceError

from apps.common.errors import VersionConflict
from apps.orders import facade
from apps.orders.cart import services, store
from apps.orders.cart.contracts import AlreadyOrdered, Cart, CartAway, CartEmpty, OrderCart, Owner
from apps.orders.cart.selectors import order_lines
from apps.orders.contracts import OrderLine, OrderPlaced, PlaceOrder
from apps.orders.errors import changed_meanwhile

NONE_YET = Cart(UUID(int=0), 0)  # a repeat is known by its key, whatever is in the cart by now
log = structlog.get_logger(__name__)


def cart_order(command: OrderCart) -> OrderPlaced:
    """Places an order of the customer's cart, once per key, and empties the cart, once.

    Raises what ``facade.place_order`` raises, ``CartEmpty``, ``VersionConflict``, ``CartAway``, and
    ``AlreadyOrdered`` with the ``order_id`` where the cart was ordered by another key meanwhile.
    """
    owner = Owner.customer(command.customer_id)
    known = facade.find_placed(_place(command, NONE_YET))
    if known is not None:
        _settle(owner, known)
        return known
    services.cart_get(owner)
    cart = store.edit(owner, lambda before: _marked(before, command.version))
    try:
        receipt = facade.place_order(_place(command, cart))
    except IntegrityError:
        if order_lines(cart.id) is None:
            raise
        services.cart_settle(owner, cart.id)
        raise AlreadyOrdered(order_id=str(cart.id)) from None
    _settle(owner, receipt)
    return receipt


def _marked(before: Cart | None, version: int | None) -> Cart:
    now = before.version if before else 0
    if version is not None and version != now:
        raise changed_meanwhile(now, "cart")
    if before is None or not before.lines:
        raise CartEmpty()
    return replace(before, ordering=True)


def _place(command: OrderCart, cart: Cart) -> PlaceOrder:
    return PlaceOrder(
        principal=command.principal,
        key=command.key,
        customer_id=command.customer_id,
        lines=tuple(OrderLine(*line) for line in cart.lines.items()),
        card_token=command.card_token,
        address=command.address,
        correlation_id=command.correlation_id,
        payment_method=command.payment_method,
        cart_id=cart.id,
    )


def _settle(owner: Owner, receipt: OrderPlaced) -> None:
    try:
        services.cart_settle(owner, receipt.order_id)
    except (CartAway, VersionConflict, DatabaseError, InterfaceError) as error:
        # The order stands; the cart is emptied by whoever looks at it next.
        log.warning("cart.not_emptied", order=str(receipt.order_id), error=str(error))
