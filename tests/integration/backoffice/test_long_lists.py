"""Long lists: counted as far as people page, and found by what rows belong to."""

import pytest
from django.conf import settings
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.common import lists
from apps.customers.models import User
from apps.payments.models import Payment, PaymentEntry
from tests.integration.backoffice.rows import trade

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))


@pytest.mark.parametrize(("rows", "count", "more"), [(3, 3, False), (4, 3, True)])
def test_a_long_list_is_counted_as_far_as_people_page(monkeypatch, rows, count, more):
    monkeypatch.setattr(lists, "MOST_COUNTED", 3)
    for number in range(rows):
        User.objects.create_user(f"{number}@example.com", name="Ann")

    with CaptureQueriesContext(connections["default"]) as queries:
        paginator = lists.ShortCount(User.objects.order_by("-id"), 2)
        assert (paginator.count, paginator.has_more, paginator.num_pages) == (count, more, 2)
    assert len(queries) == 1


def words_of(page) -> str:
    return " ".join(page.content.decode().split())


def test_the_list_says_that_there_is_more(monkeypatch, staff):
    trade(2)
    assert " 2 payments" in words_of(staff.get("/admin/payments/payment/"))
    monkeypatch.setattr(lists, "MOST_COUNTED", 1)
    assert "more than 1 payments" in words_of(staff.get("/admin/payments/payment/"))


def test_rows_are_found_by_what_they_belong_to(staff):
    trade(2)
    payment = Payment.objects.order_by("pk")[0]
    [entry] = PaymentEntry.objects.filter(payment=payment)

    for term in (str(payment.pk), str(payment.order_id)):
        found = staff.get("/admin/payments/paymententry/", {"q": term}).context["cl"].result_list
        assert list(found) == [entry]
    nothing = staff.get("/admin/payments/paymententry/", {"q": "nothing"}).context["cl"]
    assert list(nothing.result_list) == []
