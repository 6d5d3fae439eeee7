"""Dead letters are redriven one, some or all: looked at first, with a reason, under their ids."""

import re
from io import StringIO

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client

from apps.customers.models import User
from apps.messaging import groups
from apps.messaging.consuming.delivering import deliver
from apps.messaging.models import DeadLetter, Outbox, StaffChange
from tests.integration.messaging.consuming.conftest import ALIAS, entered, id_of, letters, told

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))
LIST = "/admin/messaging/deadletter/"
HERE = {"database": ALIAS}


@pytest.fixture
def group(listener, monkeypatch):
    one = listener.group(max_attempts=1)
    monkeypatch.setitem(groups._groups, one.name, one)
    return one


@pytest.fixture
def broken(listener, group):
    """Two events whose handler has a bug, and one that is no JSON."""

    def fail():
        raise ValueError("a bug")

    listener.acts |= {"bad": fail, "worse": fail}
    bodies = [told("bad"), told("worse"), b"{no json"]
    deliver(group, bodies)
    assert [reason for reason, *_ in letters()] == ["unparseable", "failed", "failed"]
    return bodies


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root@example.com", name="Root")


@pytest.fixture
def staff(root) -> Client:
    client = Client()
    client.force_login(root)
    return client


def letter(body: bytes) -> DeadLetter:
    return DeadLetter.objects.using(ALIAS).get(event_id=id_of(body))


def said(answer) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def run(*words: str) -> str:
    out = StringIO()
    call_command("dead_letters", *words, stdout=out)
    return out.getvalue()


def test_one_is_redriven_from_its_page_with_a_reason(staff, listener, broken):
    del listener.acts["bad"]
    page = f"{LIST}{letter(broken[0]).pk}/"
    shown = staff.get(f"{page}change/", HERE).content.decode()
    assert "ValueError: a bug" in shown
    [link] = re.findall(rf'href="({page}redrive/[^"]*)"', shown)
    asked = staff.get(link)
    assert asked.context["dry"].ready == [letter(broken[0]).pk]
    assert staff.post(link, {"reason": " "}).context["form"].errors.keys() == {"reason"}
    assert letter(broken[0]).redriven_at is None
    done = staff.post(link, {"reason": "the bug is fixed"}, follow=True)
    assert said(done) == ["1 applied."]
    assert id_of(broken[0]) in entered()
    assert letter(broken[0]).redriven_at is not None
    [note] = StaffChange.objects.using(ALIAS).all()
    assert (note.action, note.subject_id, note.after["why"]) == (
        "redrive",
        str(id_of(broken[0])),
        "the bug is fixed",
    )
    assert staff.get("/admin/messaging/staffchange/").status_code == 200
    assert "redrive/" not in staff.get(f"{page}change/", HERE).content.decode()


def test_many_are_counted_first_and_those_that_fail_again_stay(staff, listener, broken):
    del listener.acts["bad"]
    ids = list(DeadLetter.objects.using(ALIAS).values_list("pk", flat=True))
    chosen = {"action": "redrive_selected", "_selected_action": ids}
    asked = staff.post(f"{LIST}?database={ALIAS}", chosen)
    assert sorted(asked.context["dry"].ready) == sorted(ids)
    assert len(letters()) == 3
    chosen |= {"confirmed": "yes", "reason": "try"}
    done = staff.post(f"{LIST}?database={ALIAS}", chosen, follow=True)
    assert sorted(said(done)) == ["1 applied.", "2 dead again."]
    assert {reason for reason, *_ in letters()} == {"failed", "unparseable"}
    assert letter(broken[1]).deaths == 2


def test_only_who_may_redrives(broken, root):
    viewer = User.objects.create_user("v@example.com", name="V", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_deadletter"))
    client = Client()
    client.force_login(viewer)
    page = f"{LIST}{letter(broken[0]).pk}/"
    assert "redrive/" not in client.get(f"{page}change/", HERE).content.decode()
    answer = client.post(f"{page}redrive/?database={ALIAS}", {"reason": "x"})
    assert answer.status_code == 403
    assert len(letters()) == 3


def test_the_command_lists_shows_counts_and_applies(listener, broken):
    assert str(id_of(broken[0])) in run("list")
    assert "ValueError: a bug" in run("show", "--id", str(id_of(broken[0])))
    assert run("redrive", "--reason", "failed") == "reporting: 2 would be redriven (--apply)\n"
    assert len(letters()) == 3
    listener.acts.clear()
    assert run("redrive", "--topic", "tale.*", "--apply") == "reporting: 2 applied\n"
    assert len(letters()) == 1
    assert "command line" in StaffChange.objects.using(ALIAS).first().actor_name
    with pytest.raises(CommandError, match="not all"):
        run("redrive", "--group", "listener", "--apply")
    assert run("list", "--group", "nobody") == "No dead letters wait.\n"


def test_letters_of_a_group_that_is_gone_are_left_alone(broken, monkeypatch):
    monkeypatch.delitem(groups._groups, "listener")
    assert run("redrive", "--apply") == (
        "reporting: 3 left alone: there is no consumer group listener any more\n"
    )
    assert len(letters()) == 3


def test_a_letter_of_the_relay_goes_back_to_its_outbox():
    event = told("x")
    Outbox.objects.using(ALIAS).create(
        event_id=id_of(event), topic="t", aggregate="a:1", aggregate_version=1, payload={},
        attempts=9, dead_at="2026-01-01T00:00:00Z",
    )  # fmt: skip
    DeadLetter.objects.using(ALIAS).create(
        consumer="relay", event_id=id_of(event), topic="t", body=event, reason="too_large", error=""
    )
    assert run("redrive", "--group", "relay", "--apply") == (
        "reporting: 1 on their way to the broker again\n"
    )
    row = Outbox.objects.using(ALIAS).get()
    assert (row.dead_at, row.attempts) == (None, 0)
    assert run("list") == "No dead letters wait.\n"
