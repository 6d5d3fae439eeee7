"""The task that drives: it stays for company, and leaves nobody behind when it goes."""

import time

import pytest

from apps.common.redis import durable
from apps.sagas import tasks
from apps.sagas.models import SagaRun
from apps.sagas.nudge import FLAG

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def test_what_becomes_due_while_a_worker_waits_for_company_is_driven_by_it(start, monkeypatch):
    start("first")
    late = ["second", "third"]

    def company_comes(seconds):
        if late:
            start(late.pop())

    monkeypatch.setattr(time, "sleep", company_comes)
    assert tasks.drive() == 3
    assert set(SagaRun.objects.values_list("status", flat=True)) == {"completed"}


def test_what_comes_after_its_last_look_sends_a_message_of_its_own(start, monkeypatch):
    stood = []
    monkeypatch.setattr(tasks.leases, "any_due", lambda: stood.append(durable().exists(FLAG)))
    start("first")
    assert tasks.drive() == 1
    assert stood == [0]
