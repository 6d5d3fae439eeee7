"""Every kind of page, light and dark, wide and narrow: readable, reachable, at home."""

import pytest

from tests.trade import Trade, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def order_id(gateway):
    trade = Trade(skus=("MUG", "CUP"))
    placed = trade.place(MUG=2)
    trade.place(CUP=1, card="tok_decline")
    drive_all()
    return placed.order_id


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_pages_are_readable(counter, order_id, dark):
    one = counter(dark=dark)
    one.go("/admin/login/")
    one.look("login")
    one.login()
    for name, path in {
        "dashboard": "/admin/",
        "orders": "/admin/orders/order/",
        "order": f"/admin/orders/order/{order_id}/change/",
        "kept-orders": "/admin/orders/order/?status__exact=confirmed",
        "products": "/admin/catalog/product/",
    }.items():
        one.go(path)
        one.look(name)
