"""Staff can look at payments, and only look."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from apps.payments import facade
from apps.payments.contracts import Operation
from tests.integration.payments.money import open_payments, prepare

pytestmark = pytest.mark.django_db(databases=["default", "orders"], transaction=True)


@pytest.fixture
def staff(client):
    user = get_user_model().objects.create_superuser(
        email="staff@example.com", password="x" * 12, name="Staff"
    )
    client.force_login(user)
    return client


@pytest.fixture
def orders():
    order_ids = open_payments(["tok_approve", "tok_decline"])
    prepare(Operation.AUTHORIZE, *order_ids)
    return order_ids


@pytest.mark.parametrize("model", ["payment", "paymententry"])
def test_lists_are_searched_by_order_and_reference(staff, orders, model):
    url = reverse(f"admin:payments_{model}_changelist")
    [one] = facade.ledger(orders[0])
    for term, found in (
        ("", 2),
        (orders[0], 1),
        (one.payment_id, 1),
        ("no such thing", 0),
    ):
        page = staff.get(url, {"q": term})
        assert page.status_code == 200
        assert page.context["cl"].result_count == found


def test_lists_are_filtered(staff, orders):
    for url, query in (
        ("payment", {"card_token": "tok_decline"}),
        ("paymententry", {"operation__exact": "capture"}),
    ):
        page = staff.get(reverse(f"admin:payments_{url}_changelist"), query)
        assert page.status_code == 200
        assert page.context["cl"].result_count == (1 if url == "payment" else 0)


def test_a_payment_is_shown_with_its_ledger_and_cannot_be_changed(staff, orders):
    [one] = facade.ledger(orders[0])
    page = staff.get(reverse("admin:payments_payment_change", args=[one.payment_id]))
    assert page.status_code == 200
    assert b"authorization" in page.content.lower()
    for action, args in (("add", []), ("delete", [one.payment_id])):
        url = reverse(f"admin:payments_payment_{action}", args=args)
        assert staff.post(url, {"post": "yes"}).status_code == 403
    change = reverse("admin:payments_payment_change", args=[one.payment_id])
    assert staff.post(change, {"amount": "1.00"}).status_code == 403
    assert facade.ledger(orders[0]) == (one,)
