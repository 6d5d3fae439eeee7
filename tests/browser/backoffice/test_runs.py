"""A run that hangs is looked at, parked and sent on: readable, wide and narrow."""

import pytest
from playwright.sync_api import expect

from apps.sagas.engine.driver import drive_batch
from apps.sagas.models import SagaRun
from tests.trade import Trade, axes, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
LIST = "/admin/sagas/sagarun/"


@pytest.fixture
def waiting(gateway) -> SagaRun:
    """A run that waits for its second attempt, and others around it."""
    trade = Trade()
    trade.place(card="tok_decline")
    placed = trade.place(card="tok_capture_timeout_before")
    while SagaRun.objects.get(pk=placed.saga_id).attempt == 1:
        drive_batch()
    SagaRun.objects.filter(pk=placed.saga_id).update(next_run_at="2100-01-01T00:00:00Z")
    return SagaRun.objects.get(pk=placed.saga_id)


def test_a_run_is_parked_and_sent_on(counter, waiting):
    staff = counter(dark=True)
    staff.login()
    page = staff.go(f"{LIST}?status__exact=in_progress")
    staff.look("runs")
    page.get_by_role("link", name=waiting.business_key).click()
    expect(page.locator("#story")).to_contain_text("Capture payment")
    page.get_by_role("link", name="Park …").click()
    staff.look("run-reason")
    page.get_by_label("Reason").fill("The gateway is being mended")
    page.get_by_role("button", name="Park").click()
    expect(page.get_by_text("is parked.")).to_be_visible()
    staff.look("run-parked")

    page = staff.go(f"{LIST}?status__exact=failed")
    page.locator("input[name=_selected_action]").first.check()
    page.locator("select[name=action]").select_option("retry_selected")
    page.get_by_role("button", name="Run").or_(page.locator("button[name=index]")).first.click()
    expect(page.locator("#dry-run")).to_contain_text("1 of the selected runs")
    staff.look("runs-retry")
    page.get_by_label("Reason").fill("It is back")
    page.get_by_role("button", name="Retry").click()
    expect(page.get_by_text("1 run: retry done.")).to_be_visible()
    drive_all()
    assert axes(waiting.business_key)[0] == "confirmed"
    page = staff.go(f"{LIST}{waiting.pk}/change/")
    expect(page.locator("#log")).to_contain_text("It is back")
    staff.look("run-done")
