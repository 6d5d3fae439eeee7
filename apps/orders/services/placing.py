"""Placing an order: one transaction with all that must exist for it to be carried out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import mul
from uuid import UUID

import orjson
from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone
from moneyed import Money

from apps.catalog import facade as catalog
from apps.catalog.contracts import Offer
from apps.common.contracts import to_builtins
from apps.common.databases import execute, fetch_one, together, write
from apps.common.errors import FieldError, HoldfastError, InvalidInput
from apps.common.failpoints import failpoint
from apps.common.ids import new_id
from apps.customers import facade as customers
from apps.customers.contracts import Address
from apps.messaging.idempotency import answered, once
from apps.orders import events
from apps.orders.contracts import ImportOrder, OrderPlaced, PlaceOrder
from apps.orders.enums import DATABASE, OrderStatus, Review
from apps.orders.errors import NotOnAccount
from apps.orders.workflows.checkout import carried_on, start_checkout, style
from apps.payments import facade as payments
from apps.payments.contracts import OpenPayment
from apps.sagas.enums import Style
from apps.shipping import facade as shipping
from apps.shipping.contracts import ScheduleShipment

MAX_LINES = 1_000
MAX_QUANTITY = 1_000_000
MAX_TOTAL = Decimal("99999999999.99")
CARD, ACCOUNT = "card", "account"


@dataclass(slots=True)
class Draft:
    """An order about to be written: lines in parallel lists, amounts in one currency."""

    offers: list[Offer]
    quantities: list[int]
    prices: list[Decimal]
    shipping: Decimal
    currency: str

    @property
    def goods(self) -> Decimal:
        return sum(map(mul, self.prices, self.quantities), Decimal("0.00"))

    @property
    def total(self) -> Decimal:
        return self.goods + self.shipping


def order_place(command: PlaceOrder) -> OrderPlaced:
    """Accepts a customer's order at the catalogue's present prices.

    Raises ``InvalidInput`` naming the line for unknown, inactive or deleted products, quantities
    out of range, mixed currencies, and ``address_id`` for an address that is not the customer's;
    ``NotOnAccount`` for who may not buy so; ``KeyReused`` for a key used with another order.
    """
    identity = _identity(command)
    try:
        _check_method(command)
        draft = _draft(command.lines, price=lambda line, offer: offer.unit_price)
        address = to_builtins(_address(command))
    except (HoldfastError, DatabaseError):
        if (known := answered(*identity)) is not None:
            return known  # a repeat: it was possible at the time
        raise
    with transaction.atomic(using=DATABASE):
        with together(DATABASE):
            receipt = once(
                *identity,
                lambda: _write(
                    draft,
                    customer_id=command.customer_id,
                    card_token=command.card_token,
                    payment_method=command.payment_method,
                    address=address,
                    placed_at=timezone.now(),
                    review=_review_of(draft),
                    correlation_id=command.correlation_id,
                    order_id=command.cart_id,
                ),
            )
        failpoint("order.place.before_commit")
    failpoint("order.place.after_commit")
    return receipt


def order_placed_already(command: PlaceOrder) -> OrderPlaced | None:
    """The receipt of the order that was placed by this key; raises ``KeyReused``."""
    return answered(*_identity(command))


def _identity(command: PlaceOrder) -> tuple:
    return (DATABASE, command.principal, command.key, _request(command), OrderPlaced)


def _request(command: PlaceOrder) -> tuple:
    """What two commands of one key must have in common."""
    # A cart is empty once it was ordered: a repeat cannot name its lines.
    lines = command.lines if command.cart_id is None else "cart"
    request = (command.principal, command.customer_id, lines, command.card_token)
    request = (*request, command.address)
    # Left out for cards: so were all keys' requests written down before there was a choice.
    return request if command.payment_method == CARD else (*request, command.payment_method)


def _check_method(command: PlaceOrder) -> None:
    if command.payment_method == ACCOUNT and not customers.buys_on_account(command.customer_id):
        raise NotOnAccount()


def _review_of(draft: Draft) -> Review:
    limit = settings.REVIEW_ABOVE
    return Review.NONE if limit is None or draft.total <= limit else Review.HELD


def _address(command: PlaceOrder) -> Address:
    # Looked up here, not before: a repeat is answered even if the address is gone meanwhile.
    if isinstance(command.address, Address):
        return command.address
    address = customers.get_address(command.customer_id, command.address)
    if address is None:
        raise InvalidInput.field("address_id", "not_found", "You have no such address.")
    return address


def order_import(command: ImportOrder) -> OrderPlaced:
    """Accepts an order as another system sold it: with its prices, shipping charge and date.

    Importing an ``external_reference`` again returns the first receipt and writes nothing.
    """
    known = _imported(command.external_reference)
    if known is not None:
        return known
    draft = _draft(command.lines, price=lambda line, offer: line.unit_price)
    if draft.currency != command.shipping.currency.code:
        raise InvalidInput.field("shipping", "mixed_currency", "not the currency of the lines")
    draft.shipping = command.shipping.amount
    with transaction.atomic(using=DATABASE):
        execute(
            DATABASE,
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"import {command.external_reference}"],
        )
        with together(DATABASE):
            receipt = _imported(command.external_reference) or _write(
                draft,
                customer_id=command.customer_id,
                card_token=command.card_token,
                payment_method=command.payment_method,
                address=to_builtins(command.address),
                placed_at=command.placed_at,
                external_reference=command.external_reference,
            )
        failpoint("order.place.before_commit")
    failpoint("order.place.after_commit")
    return receipt


def _imported(reference: str) -> OrderPlaced | None:
    row = fetch_one(
        DATABASE,
        "SELECT id, saga_id, status, version, total, currency, placed_at FROM orders_order"
        " WHERE external_reference = %s",
        [reference],
    )
    if row is None:
        return None
    order_id, saga_id, status, version, total, currency, placed_at = row
    return OrderPlaced(order_id, saga_id, status, version, Money(total, currency), placed_at)


def _draft(lines: Sequence, *, price) -> Draft:
    """The lines with their offers; raises ``InvalidInput`` with an error for each bad line."""
    if not 1 <= len(lines) <= MAX_LINES:
        raise InvalidInput.field("lines", "length", f"an order has 1 to {MAX_LINES} lines")
    errors = [
        FieldError(f"lines[{n}].quantity", "out_of_range", f"1 to {MAX_QUANTITY:,} pieces")
        for n, line in enumerate(lines)
        if not 1 <= line.quantity <= MAX_QUANTITY
    ]
    known = {
        offer.product_id: offer
        for offer in catalog.get_offers({line.product_id for line in lines})
        if offer.active
    }
    errors += [
        FieldError(f"lines[{n}].product_id", "unknown_product", "there is no such product for sale")
        for n, line in enumerate(lines)
        if line.product_id not in known
    ]
    if errors:
        raise InvalidInput(errors=errors)
    offers = [known[line.product_id] for line in lines]
    prices = [price(line, offer) for line, offer in zip(lines, offers, strict=True)]
    _check_prices(prices)
    draft = Draft(
        offers,
        [line.quantity for line in lines],
        [one.amount for one in prices],
        settings.SHIPPING_CHARGE,
        prices[0].currency.code,
    )
    if draft.total > MAX_TOTAL:
        raise InvalidInput.field("lines", "total_too_large", f"at most {MAX_TOTAL} in all")
    if draft.goods + draft.shipping <= 0:
        raise InvalidInput.field("lines", "total_too_small", "there is nothing to be paid")
    return draft


def _check_prices(prices: Sequence[Money]) -> None:
    currency = prices[0].currency
    errors = []
    for n, one in enumerate(prices):
        if one.currency != currency:
            text = f"sold in {one.currency}, the first line in {currency}: order them apart"
            errors.append(FieldError(f"lines[{n}].product_id", "mixed_currency", text))
        elif one.amount < 0 or one.amount.as_tuple().exponent < -2:
            text = "not negative, at most two decimals"
            errors.append(FieldError(f"lines[{n}].unit_price", "invalid", text))
    if errors:
        raise InvalidInput(errors=errors)


def _write(
    draft: Draft,
    *,
    customer_id: UUID,
    card_token: str,
    payment_method: str,
    address: dict,
    placed_at: datetime,
    review: Review = Review.NONE,
    external_reference: str | None = None,
    correlation_id: str = "",
    order_id: UUID | None = None,
) -> OrderPlaced:
    """Order, lines, payment, saga run and event, in the caller's transaction."""
    order_id, goods = order_id or new_id(), draft.goods
    total = Money(goods + draft.shipping, draft.currency)
    saga_id = start_checkout(
        order_id,
        lines=len(draft.offers),
        held=review is Review.HELD,
        correlation_id=correlation_id,
    )
    write(
        DATABASE,
        """
        INSERT INTO orders_order (id, customer_id, status, payment_status, fulfillment_status,
            version, currency, goods_total, shipping_total, total, address, external_reference,
            saga_id, placed_at, review)
        VALUES (%s, %s, 'pending', 'not_paid', 'not_fulfilled', 1, %s, %s, %s, %s, %s, %s, %s, %s,
                %s)
        """,
        [
            *(order_id, customer_id, draft.currency, goods, draft.shipping, total.amount),
            *(orjson.dumps(address).decode(), external_reference, saga_id, placed_at),
            review.value,
        ],
    )
    _write_lines(order_id, draft)
    payments.open_payments([OpenPayment(order_id, total, card_token, payment_method)])
    choreographed = style() is Style.CHOREOGRAPHED
    if choreographed:
        shipping.expect(ScheduleShipment(order_id, address), held=review is Review.HELD)
    with carried_on(choreographed=choreographed):
        events.order_placed(
            order_id,
            customer_id=customer_id,
            saga_id=saga_id,
            draft=draft,
            country=address["country"],
            payment_method=payment_method,
            held=review is Review.HELD,
            placed_at=placed_at,
            correlation_id=correlation_id,
        )
    return OrderPlaced(order_id, saga_id, OrderStatus.PENDING.value, 1, total, placed_at)


def _write_lines(order_id: UUID, draft: Draft) -> None:
    write(
        DATABASE,
        """
        INSERT INTO orders_orderline (order_id, position, product_id, sku, name, unit_price,
            quantity)
        SELECT %s, ordinality, product_id, sku, name, unit_price, quantity
        FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::numeric[], %s::int[])
            WITH ORDINALITY AS new(product_id, sku, name, unit_price, quantity, ordinality)
        """,
        [
            order_id,
            [offer.product_id for offer in draft.offers],
            [offer.sku for offer in draft.offers],
            [offer.name for offer in draft.offers],
            draft.prices,
            draft.quantities,
        ],
    )
