"""The beat board in the back office, and the same for machines."""

import io
import json

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from apps.common.databases import execute
from apps.customers.models import User
from apps.messaging.models import StaffChange
from apps.scheduling import facade, services
from apps.scheduling.enums import Trigger
from apps.scheduling.models import JobAlert, JobRun
from apps.scheduling.running import job_run

pytestmark = pytest.mark.django_db(databases="__all__")
LIST = "/admin/scheduling/scheduledjob/"
RUN_NOW = [
    reverse(f"admin:scheduling_scheduledjob_{name}", args=["sweep"])
    for name in ("run_now", "run_from_list")
]


@pytest.fixture
def job(make_job):
    made = make_job(lambda: {"things": 3})
    facade.enter_jobs()
    return made


def clerk(*permissions: str) -> Client:
    user = User.objects.create_user("clerk@example.com", name="Clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def sent(monkeypatch) -> list[tuple[str, dict]]:
    messages: list[tuple[str, dict]] = []
    monkeypatch.setattr(
        services.current_app,
        "send_task",
        lambda name, kwargs, **options: messages.append((name, kwargs)),
    )
    return messages


def test_the_board_shows_each_job_with_its_last_run(job):
    job_run(job, trigger=Trigger.SCHEDULE)
    client = clerk("view_scheduledjob")
    for page in (LIST, f"{LIST}sweep/change/"):
        content = client.get(page).content.decode()
        for word in ("Sweep", "every 10 minutes", "On time", "3 things"):
            assert word in content, (page, word)
        assert "Run now" not in content


def test_a_job_whose_last_run_failed_is_failing(make_job):
    job = make_job(lambda: {"ratio": 1 // 0})
    facade.enter_jobs()
    with pytest.raises(ZeroDivisionError):
        job_run(job, trigger=Trigger.SCHEDULE)
    client = clerk("view_scheduledjob")
    assert "Failing" in client.get(LIST).content.decode()
    detail = client.get(f"{LIST}sweep/change/").content.decode()
    assert "ZeroDivisionError: integer division or modulo by zero" in detail


def test_looking_at_the_board_finds_what_was_missed(job):
    execute("default", "UPDATE scheduling_scheduledjob SET since = since - interval '1 hour'")
    content = clerk("view_scheduledjob").get(LIST).content.decode()
    assert "Missed" in content
    assert JobAlert.objects.filter(job_id="sweep", cleared_at=None).count() == 1


def test_the_board_takes_the_same_queries_however_often_jobs_ran(job):
    client, counts = clerk("view_scheduledjob"), []
    for runs in (1, 25):
        for _ in range(runs):
            job_run(job, trigger=Trigger.SCHEDULE)
        for page in (LIST, f"{LIST}sweep/change/"):
            client.get(page)  # content types are read once per process
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page).status_code == 200
            counts.append(len(queries))
    assert counts[:2] == counts[2:]
    assert max(counts) <= 22


def test_run_now_sends_the_task_and_is_noted(job, sent):
    client = clerk("view_scheduledjob", "run_job")
    assert b"Run now" in client.get(LIST).content
    for path in RUN_NOW:
        assert client.get(path).status_code == 200
        assert sent == []  # asking shows the dialog only
    answer = client.post(RUN_NOW[0], {"_form_submitted": "on"})
    assert answer.status_code == 302
    [(task, words)] = sent
    assert (task, words["trigger"], words["asked_by"]) == (
        *("jobs.sweep", "staff"),
        "Clerk <clerk@example.com>",
    )
    [note] = StaffChange.objects.using("default")
    assert (note.action, note.subject, note.subject_id) == (
        "run_now",
        "scheduling.scheduledjob",
        "sweep",
    )


def test_who_may_not_run_jobs_runs_none(job, sent):
    client = clerk("view_scheduledjob")
    for path in RUN_NOW:
        assert client.post(path, {"_form_submitted": "on"}).status_code == 403
    assert sent == []
    assert StaffChange.objects.using("default").count() == 0


def test_a_queue_that_is_away_is_told_and_nothing_is_noted(job, monkeypatch):
    from kombu.exceptions import OperationalError

    def send(*args, **words):
        raise OperationalError("no broker")

    monkeypatch.setattr(services.current_app, "send_task", send)
    client = clerk("view_scheduledjob", "run_job")
    answer = client.post(RUN_NOW[1], {"_form_submitted": "on"}, follow=True)
    assert b"The queue does not answer: nothing was started." in answer.content
    assert StaffChange.objects.using("default").count() == 0


def test_an_unknown_job_has_no_page(job):
    assert clerk("view_scheduledjob", "run_job").get(f"{LIST}none/change/").status_code == 302


def printed(*words: str) -> str:
    out = io.StringIO()
    call_command("jobs", *words, stdout=out)
    return out.getvalue()


def test_the_command_prints_the_board_for_people_and_machines(job):
    assert "never ran" in printed()
    assert printed("--run", "sweep") == "sweep: 3 things\n"
    [one] = json.loads(printed("--json"))
    assert (one["name"], one["last_outcome"], one["last_counts"], one["missed"]) == (
        *("sweep", "succeeded"),
        {"things": 3},
        False,
    )
    assert "sweep                ok     every 10 minutes" in printed()
    assert JobRun.objects.get().trigger == "command"


def test_the_command_fails_where_a_job_is_missed(job):
    execute("default", "UPDATE scheduling_scheduledjob SET since = since - interval '1 hour'")
    with pytest.raises(SystemExit) as stopped:
        printed()
    assert stopped.value.code == 1


def test_the_command_names_the_jobs_there_are(job):
    with pytest.raises(CommandError, match="no job nonsense; there are sweep"):
        printed("--run", "nonsense")


def test_a_paused_job_says_so(job):
    PeriodicTask.objects.filter(task=job.task).update(enabled=False)
    assert "paused" in printed()
