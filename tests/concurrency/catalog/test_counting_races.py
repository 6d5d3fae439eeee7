"""Sales are counted once, however many count at the same moment."""

from uuid import UUID

import pytest
from django.db import transaction

from apps.catalog.engagement import counting, reading
from apps.catalog.engagement.models import SaleNote
from apps.catalog.engagement.sales import handle
from tests.concurrency.catalog.threads import failures, together
from tests.integration.catalog.engagement.clean import forget_all
from tests.integration.catalog.engagement.orders import Sale, received

pytestmark = pytest.mark.django_db(transaction=True, databases=["catalog"])
TEA, CUP = UUID(int=1), UUID(int=2)
SALES = 40


@pytest.fixture(autouse=True)
def fresh():
    forget_all()
    yield
    forget_all()


def noted() -> None:
    events = [received(one) for _ in range(SALES) for one in Sale({TEA: 2, CUP: 1}).sold()]
    with transaction.atomic(using="catalog"):
        handle(events)
    assert SaleNote.objects.count() == SALES


def sold() -> dict[UUID, float]:
    found = reading.best_sellers("all", 9)
    return dict(zip(found.ids, found.counts, strict=True))


def test_one_counts_while_the_others_leave_it_to_them(monkeypatch):
    monkeypatch.setattr(counting, "NOTES", 7)
    noted()
    answers = together(*[counting.notes_count] * 4)
    assert failures(answers) == []
    while counting.notes_count():
        pass
    assert (sold(), SaleNote.objects.count()) == ({TEA: 2 * SALES, CUP: SALES}, 0)


def test_without_the_lock_the_keys_hold(monkeypatch):
    """Whoever lost its session may still be at it: the same notes are counted by two."""
    monkeypatch.setattr(counting, "counting", _unlocked)
    monkeypatch.setattr(counting, "NOTES", 7)
    noted()
    assert failures(together(*[counting.notes_count] * 4)) == []
    assert (sold(), SaleNote.objects.count()) == ({TEA: 2 * SALES, CUP: SALES}, 0)
    assert reading.bought_together(TEA, 9).counts == (SALES,)


class _unlocked:
    def __enter__(self) -> bool:
        return True

    def __exit__(self, *error: object) -> None:
        return None
