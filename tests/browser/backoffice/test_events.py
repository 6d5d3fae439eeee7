"""An event is found in the log, a dead letter redriven: readable, wide and narrow."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from apps.eventlog.archiving import GROUP as ARCHIVE
from apps.messaging.consuming.delivering import deliver
from apps.messaging.models import DeadLetter
from tests.integration.messaging.consuming.conftest import id_of, told

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
LETTERS = "/admin/messaging/deadletter/"
WHY = "ValidationError: Expected `str`, got `int` - at `$.lines[...].sku`"


@pytest.fixture
def order_id() -> str:
    """An order of which the log has some events, and one that ended as a dead letter."""
    order = str(uuid4())
    about = {"order_id": order, "customer_id": str(uuid4()), "reason": "customer_request"}
    bodies = [
        told(
            "", topic=topic, aggregate=f"order:{order}", payload=about,
            headers={"correlation_id": "9f1c77aa"},
        )
        for topic in ("order.placed", "order.confirmed", "order.cancelled")
    ]  # fmt: skip
    deliver(ARCHIVE, bodies)
    waiting = DeadLetter.objects.using("reporting")
    for reason, body in (("failed", told("a", topic="order.placed")), ("too_large", bodies[2])):
        waiting.create(
            consumer=ARCHIVE.name, event_id=id_of(body), topic="order.placed", body=body,
            headers={"correlation_id": "9f1c77aa"}, reason=reason, error=WHY, deaths=2,
        )  # fmt: skip
    return order


def test_an_event_is_found_and_a_dead_letter_redriven(counter, order_id):
    staff = counter(dark=True)
    staff.login()
    page = staff.go(f"/admin/eventlog/loggedevent/?q={order_id}")
    page.locator("#result_list tbody a").first.click()
    expect(page.get_by_text("customer_request")).to_be_visible()
    staff.look("event")
    page = staff.go(f"{LETTERS}?database=reporting")
    page.locator("#result_list tbody a").last.click()
    expect(page.get_by_text(WHY)).to_be_visible()
    staff.look("dead-letter")
    page.get_by_role("link", name="Redrive …").click()
    expect(page.get_by_label("Reason")).to_be_visible()
    staff.look("dead-letter-reason")
    page.get_by_label("Reason").fill("The handler is mended")
    page.get_by_role("button", name="Redrive").click()
    expect(page.get_by_text("1 applied.")).to_be_visible()
