"""Staff can look at payments, and only look."""

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.urls import reverse

from apps.common.errors import Conflict, InvalidInput, NotFound
from apps.messaging.models import StaffChange
from apps.payments import facade
from apps.payments.contracts import Operation
from apps.payments.models import MoneyDiscrepancy
from tests.integration.payments.money import open_on_account, open_payments, prepare

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


# --- discrepancies -----------------------------------------------------------------------------
@pytest.fixture
def discrepancy(orders):
    return MoneyDiscrepancy.objects.create(
        kind="unknown_refund", state="open", reference="r", order_id=orders[0], detail="by hand"
    )


def sent(reason: str) -> dict[str, str]:
    """The dialog's form."""
    return {"_form_submitted": "True", "reason": reason}


def resolve_url(row) -> str:
    return reverse("admin:payments_moneydiscrepancy_resolve", args=[row.pk])


def test_staff_see_what_waits_and_what_has_ended(staff, discrepancy, orders):
    MoneyDiscrepancy.objects.create(
        kind="orphan_authorization", state="mended", reference="m", detail="voided"
    )
    url = reverse("admin:payments_moneydiscrepancy_changelist")
    for query, found in (
        ({}, ["r"]),
        ({"state": "mended"}, ["m"]),
        ({"state": "all"}, ["m", "r"]),
        ({"state": "all", "kind__exact": "unknown_refund"}, ["r"]),
        ({"q": str(orders[0])}, ["r"]),
        ({"q": "no such thing"}, []),
    ):
        page = staff.get(url, query)
        assert page.status_code == 200
        assert [one.reference for one in page.context["cl"].result_list] == found


def test_a_discrepancy_is_resolved_with_a_reason_and_noted(staff, discrepancy):
    page = staff.get(reverse("admin:payments_moneydiscrepancy_change", args=[discrepancy.pk]))
    assert b"Unknown to us" not in page.content
    assert b"by hand" in page.content
    answer = staff.post(resolve_url(discrepancy), sent("A gesture"), follow=True)
    assert b"is resolved" in answer.content
    discrepancy.refresh_from_db()
    assert (discrepancy.state, discrepancy.ended_by, discrepancy.reason) == (
        "resolved",
        "Staff <staff@example.com>",
        "A gesture",
    )
    [change] = StaffChange.objects.using("orders").filter(subject="payments.moneydiscrepancy")
    assert (change.action, change.subject_id) == ("resolve", str(discrepancy.pk))
    assert change.after == {"state": "resolved", "reason": "A gesture"}
    assert staff.post(resolve_url(discrepancy), sent("Again")).status_code == 403
    discrepancy.refresh_from_db()
    assert discrepancy.reason == "A gesture"


def test_without_a_reason_or_permission_nothing_is_resolved(client, staff, discrepancy):
    staff.post(resolve_url(discrepancy), sent("  "))
    clerk = get_user_model().objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    clerk.groups.add(Group.objects.get(name="Support"))
    client.force_login(clerk)
    assert client.post(resolve_url(discrepancy), sent("Mine")).status_code == 403
    discrepancy.refresh_from_db()
    assert discrepancy.state == "open"
    assert StaffChange.objects.using("orders").count() == 0


def test_a_discrepancy_that_has_ended_is_not_resolved_again(discrepancy):
    facade.resolve_discrepancy(discrepancy.pk, "Seen to")
    for row, reason, error in (
        (discrepancy.pk, "Again", Conflict),
        (0, "None such", NotFound),
        (discrepancy.pk, " ", InvalidInput),
        (discrepancy.pk, "x" * 401, InvalidInput),
    ):
        with pytest.raises(error):
            facade.resolve_discrepancy(row, reason)


def test_payments_are_told_apart_by_method(staff, orders):
    [on_account] = open_on_account()
    url = reverse("admin:payments_payment_changelist")
    page = staff.get(url, {"method__exact": "account"})
    assert [one.order_id for one in page.context["cl"].result_list] == [on_account]
    assert staff.get(url).context["cl"].result_count == 3
