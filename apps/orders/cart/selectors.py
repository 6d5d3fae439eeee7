"""Carts as they are shown, and what the database says of their orders."""

from uuid import UUID

from moneyed import Money

from apps.catalog import facade as catalog
from apps.catalog.contracts import Offer
from apps.common.databases import fetch_all
from apps.orders.cart.contracts import Cart, CartItem, CartView
from apps.orders.enums import DATABASE


def order_lines(order_id: UUID) -> dict[UUID, int] | None:
    """Pieces by product of the order of this id; None if there is none."""
    rows = fetch_all(
        DATABASE,
        "SELECT product_id, sum(quantity)::bigint FROM orders_orderline"
        " WHERE order_id = %s GROUP BY product_id",
        [order_id],
    )
    return dict(rows) or None


def cart_view(cart: Cart | None) -> CartView:
    """The cart with what the catalogue says of its products now."""
    if cart is None or not cart.lines:
        return CartView(cart.version if cart else 0)
    product_ids = list(cart.lines)
    offers = {one.product_id: one for one in catalog.get_offers(product_ids) if one.active}
    free = {one.product_id: one.available for one in catalog.stock_levels(product_ids)}
    holds = catalog.held_stock(cart.id)
    held = {line.product_id: line.quantity for line in holds.lines}
    items = tuple(
        _item(
            product_id,
            quantity,
            offer=offers.get(product_id),
            free=free.get(product_id, 0),
            held=held.get(product_id, 0),
        )
        for product_id, quantity in cart.lines.items()
    )
    return CartView(cart.version, items, _total(items), holds.until)


def _item(
    product_id: UUID, quantity: int, *, offer: Offer | None, free: int, held: int
) -> CartItem:
    if offer is None:
        return CartItem(product_id, quantity)
    total = offer.unit_price * quantity
    return CartItem(
        product_id,
        quantity,
        for_sale=True,
        sku=offer.sku,
        name=offer.name,
        unit_price=offer.unit_price,
        total=total,
        available=free + held,
        held=held,
    )


def _total(items: tuple[CartItem, ...]) -> Money | None:
    totals = [one.total for one in items if one.total is not None]
    if len({one.currency for one in totals}) != 1:
        return None
    return sum(totals[1:], totals[0])
