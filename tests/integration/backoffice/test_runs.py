"""The pages of runs: everything that was tried is told; what is done has a reason."""

import re
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from apps.customers.models import User
from apps.messaging.models import StaffChange
from apps.sagas.backoffice import bulk
from apps.sagas.engine.driver import drive_batch
from apps.sagas.models import SagaLogEntry, SagaRun
from tests.trade import Trade, axes, drive_all

pytestmark = pytest.mark.django_db(transaction=True, databases=list(settings.DATABASES))
LIST = "/admin/sagas/sagarun/"


@pytest.fixture
def trade(gateway) -> Trade:
    return Trade()


@pytest.fixture
def waiting(trade) -> SagaRun:
    """A run that waits for its second attempt: the gateway did not answer the first."""
    placed = trade.place(card="tok_timeout_before")
    drive_batch()
    SagaRun.objects.update(next_run_at="2100-01-01T00:00:00Z")
    return SagaRun.objects.get(pk=placed.saga_id)


def page(run: SagaRun) -> str:
    return f"{LIST}{run.pk}/change/"


def repair(client: Client, run: SagaRun, action: str, **given):
    given = {"version": SagaRun.objects.get(pk=run.pk).version, "reason": "I saw it"} | given
    return client.post(f"{LIST}{run.pk}/repair/{action}/", given, follow=True)


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def offered(client: Client, run: SagaRun) -> list[str]:
    return [one.name for one, _ in client.get(page(run)).context["repairs"]]


def status(run: SagaRun) -> str:
    return SagaRun.objects.get(pk=run.pk).status


def test_the_page_tells_every_step_and_every_attempt_with_its_error(staff, waiting):
    context = staff.get(page(waiting)).context
    story = [(one.name, one.status, one.attempts, one.present) for one, _ in context["story"]]
    assert story == [
        ("create_order", "completed", 1, False),
        ("authorize_payment", "unknown", 1, True),
        *[(name, "to come", 0, False) for name in ("reserve_stock", "schedule_shipment")],
        *[(name, "to come", 0, False) for name in ("capture_payment", "confirm_order")],
    ]
    [line] = context["story"][1][0].lines
    assert (line.event, line.attempt, line.code) == ("unknown", 1, "timeout")
    assert list(context["log"]) == [line]


def test_run_and_order_lead_to_each_other(staff, waiting):
    order = f"/admin/orders/order/{waiting.business_key}/change/"
    assert f'href="{order}"' in staff.get(page(waiting)).content.decode()
    assert f'href="{page(waiting)}"' in staff.get(order).content.decode()


def test_a_waiting_run_is_parked_looked_at_and_retried(staff, root, waiting):
    assert offered(staff, waiting) == ["retry", "compensate", "park"]
    assert said(repair(staff, waiting, "park")) == [f"{waiting} is parked."]
    assert offered(staff, waiting) == ["retry", "compensate", "mark_done"]
    assert said(repair(staff, waiting, "retry")) == [f"{waiting} is due now."]
    drive_all()
    assert axes(waiting.business_key)[0] == "confirmed"
    assert offered(staff, waiting) == []
    lines = SagaLogEntry.objects.filter(run=waiting, event__startswith="staff_").order_by("id")
    who = f"{root.name} <{root.email}>"
    assert [(one.event, one.detail.endswith(": I saw it")) for one in lines] == [
        ("staff_park", True),
        ("staff_retry", True),
    ]
    notes = StaffChange.objects.using("orders").filter(subject="sagas.sagarun").order_by("id")
    assert [(one.action, one.after["reason"]) for one in notes] == [
        ("park", "I saw it"),
        ("retry", "I saw it"),
    ]
    assert {one.actor_name for one in notes} == {lines[0].detail.removesuffix(": I saw it")}, who
    assert LogEntry.objects.filter(object_id=str(waiting.pk)).count() == 2
    history = staff.get(f"{LIST}{waiting.pk}/history/").content.decode()
    assert history.count("I saw it") >= 2


def test_turning_back_from_the_page(staff, waiting, trade):
    repair(staff, waiting, "compensate")
    drive_all()
    assert axes(waiting.business_key)[0] == "cancelled"
    assert trade.levels()["MUG"] == (100, 0)


def test_what_is_refused_is_said_and_changes_nothing(staff, root, waiting):
    before = SagaRun.objects.values()[0]
    assert staff.get(f"{LIST}{waiting.pk}/repair/park/", {"reason": "x"}).status_code == 200
    for reason in ("", "  ", "x" * 201):
        answer = repair(staff, waiting, "park", reason=reason)
        assert answer.context["form"].errors.keys() == {"reason"}
    stale = repair(staff, waiting, "park", version=waiting.version + 1)
    assert said(stale)[0].startswith("It moved on meanwhile")
    form = staff.get(f"{LIST}{waiting.pk}/repair/mark_done/")
    why = "only a parked run's step can be marked as done: park it first"
    assert form.context["refusal"] == why
    assert said(repair(staff, waiting, "mark_done")) == [why]
    assert repair(staff, waiting, "explode").status_code == 404
    assert staff.get(f"{LIST}{uuid4()}/repair/park/").status_code == 404
    elsewhere = Client(enforce_csrf_checks=True)
    elsewhere.force_login(root)
    assert repair(elsewhere, waiting, "park").status_code == 403
    assert SagaRun.objects.values()[0] == before
    assert LogEntry.objects.count() == 0


def test_who_may_only_look_gets_no_buttons_and_repairs_nothing(waiting):
    clerk = User.objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(codename="view_sagarun"))
    client = Client()
    client.force_login(clerk)
    assert offered(client, waiting) == []
    assert "/admin/orders/order/" not in client.get(page(waiting)).content.decode()
    assert repair(client, waiting, "park").status_code == 403
    selected = {"action": "park_selected", "_selected_action": [str(waiting.pk)]}
    client.post(LIST, selected | {"confirmed": "yes", "reason": "x"})
    assert status(waiting) == "in_progress"


class TestMany:
    @pytest.fixture
    def runs(self, trade) -> list[SagaRun]:
        """Three that wait, and one that is done."""
        placed = [trade.place(card="tok_timeout_before") for _ in range(3)]
        drive_batch()
        SagaRun.objects.update(next_run_at="2100-01-01T00:00:00Z")
        placed.append(trade.place())
        drive_all()
        return [SagaRun.objects.get(pk=one.saga_id) for one in placed]

    def test_what_would_happen_is_counted_first(self, staff, runs, monkeypatch):
        everything = {"action": "park_selected", "_selected_action": [str(one.pk) for one in runs]}
        answer = staff.post(LIST, everything)
        dry = answer.context["dry"]
        assert set(dry.ready) == {one.pk for one in runs[:3]}
        assert dry.refused == [("it has ended", 1)]
        assert SagaLogEntry.objects.filter(event="staff_park").count() == 0
        monkeypatch.setattr(bulk, "MOST_AT_ONCE", 2)
        few = staff.post(LIST, everything).context["dry"]
        assert (len(few.ready) + sum(number for _, number in few.refused), few.more) == (2, True)
        again = staff.post(LIST, everything | {"confirmed": "yes", "reason": " "})
        assert again.context["form"].errors.keys() == {"reason"}
        assert SagaLogEntry.objects.filter(event="staff_park").count() == 0

    def test_all_that_the_filters_show_are_parked_and_sent_on(self, staff, runs):
        path = f"{LIST}?status__exact=in_progress"
        across = {"_selected_action": [str(runs[0].pk)], "select_across": "1", "index": "0"}
        confirmed = across | {"confirmed": "yes", "reason": "the gateway is away"}
        answer = staff.post(path, confirmed | {"action": "park_selected"}, follow=True)
        assert said(answer) == ["3 runs: park done."]
        assert SagaRun.objects.filter(status="failed").count() == 3

        path = f"{LIST}?status__exact=failed&error_code=parked_by_staff"
        answer = staff.post(path, confirmed | {"action": "retry_selected"}, follow=True)
        assert said(answer) == ["3 runs: retry done."]
        drive_all()
        assert set(SagaRun.objects.values_list("status", flat=True)) == {"completed"}


def test_the_list_is_narrowed_by_what_people_look_for(staff, waiting, trade):
    parked = trade.place()
    run = SagaRun.objects.get(pk=parked.saga_id)
    repair(staff, run, "park")
    SagaRun.objects.filter(pk=waiting.pk).update(created_at="2020-01-01T00:00:00Z")

    def found(query: str) -> set:
        return {one.pk for one in staff.get(f"{LIST}?{query}").context["cl"].result_list}

    for query, wanted in {
        "step=authorize_payment": {waiting.pk, run.pk},
        "step=capture_payment": set(),
        "kind=checkout": {waiting.pk, run.pk},
        "direction__exact=F": {waiting.pk, run.pk},
        "direction__exact=B": set(),
        "error_code=parked_by_staff": {run.pk},
        "age=86400": {waiting.pk},
        f"q={run.business_key}": {run.pk},
    }.items():
        assert found(query) == wanted, query
    words = staff.get(LIST).content.decode()
    assert re.search(r"parked_by_staff \(1\)", words)
