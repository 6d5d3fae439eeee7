"""Two clients at one cart, many carts at one piece, the clock at an order's heels."""

import threading
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError

from apps.catalog import facade as catalog
from apps.catalog import stock
from apps.catalog.contracts import HoldStock, StockLine
from apps.catalog.models import Reservation
from apps.common.databases import execute
from apps.customers.contracts import Address
from apps.orders.cart import ordering, services, store
from apps.orders.cart.contracts import AlreadyOrdered, CartEmpty, OrderCart, Owner, new_token
from apps.orders.contracts import OrderPlaced
from apps.orders.models import Order
from tests.concurrency.catalog.threads import failures, together
from tests.integration.catalog import shop

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "catalog", "orders"])
ADDRESS = Address("Ada Lovelace", "12 St James's Square", "London", "GB", postal_code="SW1Y 4JH")
CLIENTS, EDITS = 6, 5


def quantities(owner: Owner) -> dict[UUID, int]:
    cart = services.cart_get(owner)
    return dict(cart.lines) if cart else {}


def hold(cart_id: UUID, product_id: UUID, pieces: int) -> HoldStock:
    return HoldStock(cart_id, (StockLine(product_id, pieces),) if pieces else (), 60.0)


def at_the_same_time(owner: Owner, product_id: UUID) -> None:
    """Two clients read the cart, then both put one piece more into it."""
    have_read = threading.Barrier(2, timeout=10)
    first = threading.local()

    def one_more(before):
        if not getattr(first, "passed", False):
            first.passed = True
            have_read.wait()
        lines = dict(before.lines) if before else {}
        return services._next(before, lines | {product_id: lines.get(product_id, 0) + 1})

    assert failures(together(*[lambda: store.edit(owner, one_more)] * 2)) == []


def test_no_edit_of_two_clients_is_lost():
    owner, product_id = Owner.bearer(new_token()), uuid4()
    at_the_same_time(owner, product_id)
    at_the_same_time(owner, product_id)
    assert quantities(owner) == {product_id: 4}


def test_control_without_watch_one_is_lost(monkeypatch):
    def unwatched(pipe, owner):
        return store.load(owner)

    monkeypatch.setattr(store, "_watched", unwatched)
    owner, product_id = Owner.bearer(new_token()), uuid4()
    at_the_same_time(owner, product_id)
    assert quantities(owner) == {product_id: 1}


def test_many_clients_fill_one_cart_and_its_hold_is_what_is_in_it():
    owner, cup = Owner.customer(uuid4()), shop.product(100)

    def fill():
        for _ in range(EDITS):
            services.line_add(owner, cup, 1, version=None)

    assert failures(together(*[fill] * CLIENTS)) == []
    assert quantities(owner) == {cup: CLIENTS * EDITS}
    assert shop.levels(cup) == (100, CLIENTS * EDITS)
    assert catalog.audit_stock() == []


def test_of_many_carts_one_holds_the_last_piece():
    cup = shop.product(1)
    carts = [uuid4() for _ in range(8)]
    answers = together(
        *[lambda one=one: catalog.hold_stock(hold(one, cup, 1)).lines for one in carts]
    )
    assert failures(answers) == []
    assert sorted(map(len, answers)) == [0] * 7 + [1]
    assert shop.levels(cup) == (1, 1)
    assert catalog.audit_stock() == []


@pytest.mark.parametrize("turn", range(4))
def test_clock_cart_order_and_strangers_meet_at_the_last_piece(turn):
    """Whoever gets it: one does, and the books agree."""
    cart, cup = uuid4(), shop.product(1)
    catalog.hold_stock(hold(cart, cup, 1))
    execute("catalog", "UPDATE catalog_reservation SET expires_at = now() - interval '1 second'")
    own, stranger = shop.reserve((cup, 1), order_id=cart), shop.reserve((cup, 1))
    jobs = [
        lambda: stock.expire_holds(most=10),
        lambda: catalog.expire_holds([cart]),
        lambda: catalog.reserve_stock([own]),
        lambda: catalog.reserve_stock([stranger]),
    ]
    answers = together(*jobs[turn:], *jobs[:turn])
    assert failures(answers) == []
    won = [one.status == "reserved" for part in answers if isinstance(part, list) for one in part]
    assert won.count(True) == 1
    [live] = Reservation.objects.filter(status="live")
    assert (live.expires_at, shop.levels(cup)) == (None, (1, 1))
    assert catalog.audit_stock() == []


def reserve_as_the_engine_does(command) -> str:
    """A batch that an SQL error rolled back is tried again: an edit came between two locks."""
    for _ in range(5):
        try:
            return catalog.reserve_stock([command])[0].status.value
        except IntegrityError:
            continue
    return "never"


def test_an_order_meets_edits_of_its_cart():
    """Whatever comes first: the order gets its lines once, and nothing is left of the hold."""
    for _ in range(5):
        cart, cup = uuid4(), shop.product(10)
        catalog.hold_stock(hold(cart, cup, 2))
        own = shop.reserve((cup, 2), order_id=cart)
        answers = together(
            lambda own=own: reserve_as_the_engine_does(own),
            *[lambda n=n, c=cart, p=cup: catalog.hold_stock(hold(c, p, n)) for n in (3, 0, 5)],
        )
        assert failures(answers) == []
        assert (answers[0], shop.levels(cup)) == ("reserved", (10, 2))
    assert catalog.audit_stock() == []


def test_a_cart_is_ordered_once_by_two_clients():
    customer_id, cup = uuid4(), shop.product(10)
    services.line_set(Owner.customer(customer_id), cup, 2, version=None)

    def order(key: str) -> OrderPlaced | str:
        command = OrderCart("customer", key, customer_id, "tok_approve", ADDRESS)
        try:
            return ordering.cart_order(command)
        except (AlreadyOrdered, CartEmpty) as error:
            return error.code

    answers = together(*[lambda n=n: order(f"key {n}") for n in range(4)])
    assert failures(answers) == []
    placed = [one for one in answers if isinstance(one, OrderPlaced)]
    assert (len(placed), Order.objects.count()) == (1, 1)
    assert {one for one in answers if isinstance(one, str)} <= {"already_ordered", "cart_empty"}
    assert quantities(Owner.customer(customer_id)) == {}
