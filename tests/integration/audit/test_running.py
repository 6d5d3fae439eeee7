"""An audit runs beside the trade: it waits for what is under way and records what it did."""

import io

import orjson
import pytest
from django.core.management import CommandError, call_command

from apps.catalog import facade as catalog
from apps.common.databases import execute
from apps.common.errors import Unavailable
from apps.orders.audit.jobs import run_audit
from apps.orders.audit.models import AuditRun
from apps.orders.audit.services import audit_run
from tests.trade import Trade, drive_all, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


@pytest.fixture
def confirmed(gateway):
    """The id of a confirmed order."""
    order_id = Trade().place(MUG=2).order_id
    drive_all()
    return order_id


def let_look_wrong(order_id) -> None:
    assert execute("orders", "UPDATE orders_order SET status = 'pending' WHERE id = %s", [order_id])


@pytest.mark.parametrize("status", ["pending", "in_progress", "compensating", "failed"])
def test_an_order_is_judged_only_when_its_sagas_have_ended(confirmed, status):
    let_look_wrong(confirmed)
    execute("orders", "UPDATE sagas_sagarun SET status = %s", [status])
    assert violations() == {}
    execute("orders", "UPDATE sagas_sagarun SET status = 'completed'")
    assert violations() == {"orders_terminal": [str(confirmed)], "money_balances": ["GBP"]}


@pytest.mark.parametrize("moves", [True, False])
def test_a_suspect_that_moves_between_two_looks_is_left_for_the_next_audit(
    confirmed, monkeypatch, moves
):
    execute("orders", "UPDATE orders_order SET payment_status = 'voided'")
    read, looks = catalog.live_reservations_by_order, []

    def read_while_it_moves():
        looks.append(None)
        if moves and len(looks) == 2:
            execute("orders", "UPDATE orders_order SET version = version + 1")
        return read()

    monkeypatch.setattr(catalog, "live_reservations_by_order", read_while_it_moves)
    expected = {} if moves else {"payment_status_matches_ledger": [str(confirmed)]}
    assert violations() == expected
    assert len(looks) == 2


def test_a_reservation_made_while_the_audit_runs_is_no_suspect(gateway, monkeypatch):
    trade, read = Trade(), catalog.live_reservations_by_order

    def trade_first():
        if not trade_first.done:
            trade_first.done = True
            rows = list(read())  # as it was before the order came
            trade.place(MUG=1)
            drive_all()
            return iter(rows)
        return read()

    trade_first.done = False
    monkeypatch.setattr(catalog, "live_reservations_by_order", trade_first)
    assert violations() == {}


def test_every_run_is_recorded_with_what_it_found(confirmed):
    run_audit.function()
    let_look_wrong(confirmed)
    with pytest.raises(CommandError):
        call_command("audit", json=True, stdout=io.StringIO())
    clean, violated = AuditRun.objects.order_by("started_at")
    assert (clean.trigger, clean.violations, clean.error) == ("schedule", 0, "")
    assert clean.checks["orders_terminal"] == {"checked": 1, "violations": 0, "ids": []}
    assert (violated.trigger, violated.violations) == ("command", 2)
    assert violated.checks["orders_terminal"]["ids"] == [str(confirmed)]


def test_a_gateway_that_does_not_answer_leaves_the_audit_unfinished(confirmed, gateway):
    gateway.stop()
    with pytest.raises(Unavailable):
        audit_run(trigger=AuditRun.Trigger.COMMAND)
    [run] = AuditRun.objects.all()
    assert run.error.startswith("Unavailable: the payment gateway does not answer")
    with pytest.raises(CommandError, match="the audit could not be finished: the payment gateway"):
        call_command("audit")


def test_the_command_prints_json_and_fails_with_the_offending_ids(confirmed):
    clean = io.StringIO()
    call_command("audit", json=True, stdout=clean)
    answer = orjson.loads(clean.getvalue())
    assert answer["violations"] == 0
    assert answer["checks"]["money_balances"] == {"checked": 1, "violations": 0, "ids": []}
    let_look_wrong(confirmed)
    violated = io.StringIO()
    with pytest.raises(CommandError, match="2 violations"):
        call_command("audit", json=True, stdout=violated)
    answer = orjson.loads(violated.getvalue())
    assert answer["violations"] == 2
    assert answer["checks"]["orders_terminal"]["ids"] == [str(confirmed)]


def test_the_command_prints_a_table_and_what_is_wrong(confirmed):
    let_look_wrong(confirmed)
    printed = io.StringIO()
    with pytest.raises(CommandError, match="2 violations"):
        call_command("audit", stdout=printed)
    assert "confirmed_orders_hold_their_stock" in printed.getvalue()
    assert (
        f"orders_terminal: {confirmed}: pending, but its checkout has ended" in printed.getvalue()
    )


def test_staff_see_the_audits_and_cannot_change_them(confirmed, client, django_user_model):
    run_audit.function()
    staff = django_user_model.objects.create_superuser("boss@example.org", "x" * 12, name="Boss")
    client.force_login(staff, "apps.customers.backends.LoginBackend")
    [run] = AuditRun.objects.all()
    page = f"/admin/orders/auditrun/{run.pk}/change/"
    for result, listed in (("clean", True), ("violations", False), ("unfinished", False)):
        found = client.get(f"/admin/orders/auditrun/?result={result}&q=money_balances")
        assert (page in found.content.decode()) is listed
    assert b"money_balances: 1 checked, 0 violations" in client.get(page).content
    assert client.post(page, {}).status_code == 403
    assert client.get("/admin/orders/auditrun/add/").status_code == 403
