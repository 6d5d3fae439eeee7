"""One box finds what staff have in hand: a number, an address, a name."""

import re
from html import unescape
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.catalog import services
from apps.catalog.models import Product
from apps.customers.models import User
from apps.orders import facade
from apps.orders.models import Order
from apps.shipping.models import Shipment
from tests.trade import Trade

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))


@pytest.fixture
def order() -> Order:
    """Ada's order of a mug, with its parcel."""
    placed = Trade(skus=("MUG", "CUP")).place(MUG=1)
    Shipment.objects.create(id=uuid4(), order_id=placed.order_id, tracking_number="HF123")
    Order.objects.filter(pk=placed.order_id).update(external_reference="WEB-77")
    return Order.objects.get(pk=placed.order_id)


def found(client, term: str) -> dict[str, str]:
    """Link → kind of what is found, without the pages."""
    answer = client.get("/admin/search/", {"s": term})
    assert answer.status_code == 200
    links = re.findall(
        r'<a href="([^"]+/change/)".*?</span>\s*(\w+)', answer.content.decode(), re.S
    )
    return {unescape(link): kind for link, kind in links}


def page(row) -> str:
    opts = row._meta
    return f"/admin/{opts.app_label}/{opts.model_name}/{row.pk}/change/"


def test_an_order_is_found_by_what_people_know_of_it(staff, order):
    ada = User.objects.get(email="ada@example.org")
    for term in ("WEB-77", "ADA@example.org", str(ada.public_id)):
        assert found(staff, term)[page(order)] == "Order", term
    both = found(staff, str(order.pk))
    assert both[page(order)] == "Order"
    assert "Saga" in both.values()


def test_the_other_kinds_are_found(staff, order):
    ada, mug = User.objects.get(email="ada@example.org"), Product.objects.get(sku="MUG")
    saga = facade.get_order(order.pk).saga_id

    assert found(staff, "lovelace") == {page(ada): "Customer"}
    assert found(staff, "mug") == {page(mug): "Product"}
    assert found(staff, str(mug.public_id)) == {page(mug): "Product"}
    assert found(staff, "hf123") == {page(Shipment.objects.get()): "Shipment"}
    assert list(found(staff, str(saga)).values()) == ["Saga"]


def test_what_is_deleted_is_found_and_says_so(staff, order):
    mug = Product.objects.get(sku="MUG")
    services.product_delete(product_pk=mug.pk)
    answer = staff.get("/admin/search/", {"s": "mug"})
    assert "MUG Mug (deleted)" in answer.content.decode()


@pytest.mark.parametrize(
    "term", ["x", "%", "__", "'", "\\", "\x00", "ü" * 99, "a" * 500, "=1", "@"]
)
def test_any_term_is_taken(staff, order, term):
    found(staff, term)


def test_a_person_finds_what_they_may_see(order):
    clerk = User.objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client = Client()
    client.force_login(clerk)

    assert set(found(client, "mug").values()) == {"Product"}
    for term in ("WEB-77", "ada@example.org", str(order.pk), "HF123"):
        assert found(client, term) == {}, term


def test_the_queries_do_not_grow_with_what_is_found(staff, order):
    def reads(term: str) -> int:
        captures = [CaptureQueriesContext(connections[alias]) for alias in settings.DATABASES]
        for capture in captures:
            capture.__enter__()
        found(staff, term)
        for capture in captures:
            capture.__exit__(None, None, None)
        return sum(map(len, captures))

    few = reads("a@example.org")
    Trade(skus=tuple(f"A@EXAMPLE.ORG-{n}" for n in range(9)))
    for number in range(9):
        User.objects.create_user(f"x{number}a@example.org", name="Xi")
    many = reads("a@example.org")
    assert many == few <= 9
    assert len(found(staff, "a@example.org")) == 10
