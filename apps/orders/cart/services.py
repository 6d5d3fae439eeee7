"""What may be done with a cart.

Each edit is one transaction in Redis; after it the stock that the cart holds follows. Holds are
only a customer's: an anonymous cart costs nothing, so nobody could be kept from holding all there
is with many of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError

from apps.catalog import facade as catalog
from apps.catalog.contracts import HoldStock, StockLine
from apps.common.errors import InvalidInput, NotFound
from apps.common.ids import new_id
from apps.orders.cart import store
from apps.orders.cart.contracts import MAX_LINES, MAX_QUANTITY, Cart, Owner
from apps.orders.cart.selectors import order_lines
from apps.orders.errors import changed_meanwhile

log = structlog.get_logger(__name__)
HOLD_TRIES = 5
Lines = Mapping[UUID, int]


def cart_get(owner: Owner) -> Cart | None:
    """The owner's cart. One whose order was placed by somebody who then died is emptied first."""
    cart = store.load(owner)
    if cart is not None and cart.ordering:
        return cart_settle(owner, cart.id)
    return cart


def line_set(owner: Owner, product_id: UUID, quantity: int, *, version: int | None) -> Cart | None:
    """So many pieces (1 to 1,000) of the product, and no others."""
    _check_product(product_id)
    return _edit(owner, lambda lines: _with(lines, product_id, quantity), version)


def line_add(owner: Owner, product_id: UUID, quantity: int, *, version: int | None) -> Cart | None:
    """So many pieces more, or fewer; with none left the line goes."""
    _check_product(product_id)
    return _edit(
        owner, lambda lines: _with(lines, product_id, lines.get(product_id, 0) + quantity), version
    )


def line_remove(owner: Owner, product_id: UUID, *, version: int | None) -> Cart | None:
    """Takes the product out. Raises ``NotFound`` where it is not in the cart."""

    def without(lines: Lines) -> Lines:
        if product_id not in lines:
            raise NotFound("The product is not in the cart.")
        return {one: quantity for one, quantity in lines.items() if one != product_id}

    return _edit(owner, without, version)


def cart_clear(owner: Owner, *, version: int | None) -> None:
    """Takes everything out."""
    _edit(owner, lambda lines: {}, version)


def cart_merge(owner: Owner, other: Owner) -> Cart | None:
    """Takes an anonymous cart over: its lines are added to the owner's, up to the most that a line
    may have, and it is no more. Raises ``NotFound`` for no such cart, ``InvalidInput`` for too many
    lines: then both stay as they are."""

    def join(mine: Cart | None, theirs: Cart | None) -> Cart:
        if theirs is None:
            raise NotFound("There is no such cart.")
        lines = dict(mine.lines) if mine else {}
        for product_id, quantity in theirs.lines.items():
            lines[product_id] = min(lines.get(product_id, 0) + quantity, MAX_QUANTITY)
        return _next(mine, _checked(lines))

    cart_get(owner)
    return _hold(owner, store.merge(owner, other, join))


def cart_settle(owner: Owner, order_id: UUID) -> Cart | None:
    """Takes out of the owner's cart what its order has, once: a cart of another id is left alone,
    as is one without an order. What came in meanwhile stays, in a cart of its own."""
    ordered = order_lines(order_id)
    rest: list[UUID] = []

    def without(before: Cart | None) -> Cart | None:
        rest.clear()
        if before is None or before.id != order_id or not ordered:
            return before
        left = {
            product_id: quantity - ordered.get(product_id, 0)
            for product_id, quantity in before.lines.items()
            if quantity > ordered.get(product_id, 0)
        }
        if not left:
            return None
        rest.append(new_id())
        return Cart(rest[0], before.version + 1, left)

    cart = store.edit(owner, without)
    return _hold(owner, cart) if cart is not None and rest else cart


def _check_product(product_id: UUID) -> None:
    if not any(offer.active for offer in catalog.get_offers([product_id])):
        raise InvalidInput.field(
            "product_id", "unknown_product", "There is no such product for sale."
        )


def _with(lines: Lines, product_id: UUID, quantity: int) -> Lines:
    if quantity > MAX_QUANTITY:
        text = f"At most {MAX_QUANTITY:,} pieces of a product."
        raise InvalidInput.field("quantity", "max_quantity", text)
    if quantity > 0:
        return _checked({**lines, product_id: quantity})
    return {one: pieces for one, pieces in lines.items() if one != product_id}


def _checked(lines: Lines) -> Lines:
    if len(lines) > MAX_LINES:
        raise InvalidInput.field("product_id", "too_many_lines", f"At most {MAX_LINES} products.")
    return lines


def _next(before: Cart | None, lines: Lines) -> Cart:
    if before is None:
        return Cart(new_id(), store.new_version(), lines)
    return replace(before, version=before.version + 1, lines=lines)


def _edit(owner: Owner, change: Callable[[Lines], Lines], version: int | None) -> Cart | None:
    emptied: list[UUID] = []

    def changed(before: Cart | None) -> Cart | None:
        now = before.version if before else 0
        if version is not None and version != now:
            raise changed_meanwhile(now, "cart")
        lines = change(before.lines if before else {})
        if not lines:
            emptied[:] = [before.id] if before else []
            return None
        emptied.clear()
        return _next(before, lines)

    cart_get(owner)  # what was ordered is not edited any more
    cart = store.edit(owner, changed)
    for cart_id in emptied:
        _hold(owner, Cart(cart_id, 0))
    return _hold(owner, cart) if cart is not None else None


def _hold(owner: Owner, cart: Cart) -> Cart | None:
    """The cart's holds follow its lines; returns the cart as it is by now.

    Who comes last has looked last: two edits may reach the database in another order than Redis.
    Stock that cannot be held is no reason to refuse an edit: the order will ask for it again.
    """
    seconds = min(settings.CART_HOLD_SECONDS, settings.CART_SECONDS)
    if not owner.is_customer or not seconds:
        return cart
    for _ in range(HOLD_TRIES):
        lines = tuple(StockLine(*line) for line in cart.lines.items())
        try:
            held = catalog.hold_stock(HoldStock(cart.id, lines, seconds))
        except (DatabaseError, InterfaceError) as error:
            log.warning("cart.not_held", cart=str(cart.id), error=str(error))
            return cart
        if held.ordered:
            return cart_settle(owner, cart.id)
        if held.lines:
            store.mark_hold(cart.id, seconds)
        latest = store.load(owner)
        if latest is not None and latest.id == cart.id:
            if latest.version == cart.version:
                return latest
            cart = latest
        elif cart.lines and order_lines(cart.id) is None:
            cart = Cart(cart.id, 0)  # it is gone: so are its holds
        else:
            return latest
    return cart
