"""A command is answered once, by a record that commits with its effects."""

import threading

import pytest
from django.db import connections, transaction

from apps.messaging.idempotency import KeyReused, StillRunning, answered, once
from apps.messaging.models import IdempotencyRecord

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")


def run(command, *, key: str = "k", principal: str = "p", request: object = "r"):
    with transaction.atomic(using="orders"):
        return once("orders", principal, key, request, int, command)


def test_a_repeat_gets_the_first_answer_and_does_nothing():
    assert run(lambda: 1) == 1
    assert run(lambda: 2) == 1
    assert answered("orders", "p", "k", "r", int) == 1


def test_another_request_or_principal_with_the_same_key():
    run(lambda: 1)
    with pytest.raises(KeyReused):
        run(lambda: 2, request="other")
    with pytest.raises(KeyReused):
        answered("orders", "p", "k", "other", int)
    assert run(lambda: 3, principal="somebody else") == 3
    assert answered("orders", "p", "unheard of", "r", int) is None


def test_a_command_that_fails_may_be_tried_again():
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(fail)
    assert IdempotencyRecord.objects.using("orders").count() == 0
    assert run(lambda: 2) == 2


def test_a_command_still_running_elsewhere_is_a_conflict():
    running, go_on, answers = threading.Event(), threading.Event(), []

    def slow():
        running.set()
        assert go_on.wait(10)
        return 1

    def elsewhere():
        try:
            answers.append(run(slow))
        finally:
            connections.close_all()

    thread = threading.Thread(target=elsewhere)
    thread.start()
    assert running.wait(10)
    with pytest.raises(StillRunning):
        run(lambda: 2)
    go_on.set()
    thread.join()
    assert (answers, run(lambda: 3)) == ([1], 1)
