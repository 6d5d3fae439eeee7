"""What staff change is noted with the change."""

import pytest
from django.db import transaction

from apps.common.actor import Actor, acting, current_actor
from apps.messaging.models import StaffChange
from apps.messaging.staff_log import staff_change

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
ANN = Actor("1", "Ann")


def note(**values) -> None:
    staff_change("catalog", subject="catalog.product", subject_id=7, action="change", **values)


def test_a_change_by_staff_is_noted_with_before_and_after():
    with acting(lambda: ANN), transaction.atomic(using="catalog"):
        note(before={"name": "Cup"}, after={"name": "Mug"})
    [row] = StaffChange.objects.using("catalog")
    assert (row.actor_name, row.subject_id, row.before, row.after) == (
        *("Ann", "7"),
        {"name": "Cup"},
        {"name": "Mug"},
    )


def test_nobody_at_work_leaves_no_note():
    assert current_actor() is None
    with transaction.atomic(using="catalog"):
        note()
    assert StaffChange.objects.using("catalog").count() == 0


def test_a_note_outside_the_changes_transaction_is_refused():
    with acting(lambda: ANN), pytest.raises(transaction.TransactionManagementError):
        note()


def test_a_change_rolled_back_takes_its_note_along():
    with (
        pytest.raises(ZeroDivisionError),
        acting(lambda: ANN),
        transaction.atomic(using="catalog"),
    ):
        note()
        raise ZeroDivisionError
    assert StaffChange.objects.using("catalog").count() == 0


def test_a_note_stays_as_it_is():
    with acting(lambda: ANN), transaction.atomic(using="catalog"):
        note()
    with pytest.raises(Exception, match="append-only"):
        StaffChange.objects.using("catalog").update(actor_name="Bob")
