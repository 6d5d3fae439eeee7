"""Several senders at the same mails, and servers that hold some of them up."""

import threading

import pytest
from django.db import connections, transaction

from apps.notifications import mailer
from apps.notifications.mailer import Sender
from apps.notifications.models import Email
from tests.integration.notifications.post import Post, told, welcome
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=["default"])


@pytest.fixture
def running(mail_server):
    """``running(n)``: so many senders, until the test ends."""
    stop, threads = threading.Event(), []

    def start(count: int) -> threading.Event:
        threads.extend(threading.Thread(target=Sender(stop).run) for _ in range(count))
        for thread in threads:
            thread.start()
        return stop

    yield start
    stop.set()
    for event in mail_server.hold.values():
        event.set()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Email.objects.values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


def test_senders_that_race_send_each_mail_once(mail_server, running, settings):
    settings.EMAIL_BATCH = 3
    posts = welcome(60)

    running(6)

    eventually(lambda: states() == {"sent": 60})
    assert sorted(mail["To"] for mail in mail_server.taken) == sorted(p.email for p in posts)
    assert {mail.attempts for mail in Email.objects.all()} == {1}


def test_a_recipient_who_is_slow_holds_up_no_other_sender(mail_server, running, settings):
    settings.EMAIL_BATCH = 1
    posts = welcome(12)
    mail_server.hold[posts[0].email] = threading.Event()

    running(2)

    eventually(lambda: states() == {"sent": 11, "sending": 1})
    mail_server.hold[posts[0].email].set()
    eventually(lambda: states() == {"sent": 12})
    assert len(mail_server.taken) == 12


def test_the_rest_of_a_slow_batch_goes_back_to_the_others(mail_server, running, monkeypatch):
    monkeypatch.setattr(mailer, "BATCH_SECONDS", 0.0)
    posts = welcome(3)
    mail_server.hold[posts[0].email] = threading.Event()
    running(1)
    eventually(lambda: states() == {"sending": 3})

    mail_server.hold[posts[0].email].set()

    eventually(lambda: states() == {"sent": 3})
    assert {mail.attempts for mail in Email.objects.all()} == {1}


def test_a_stopped_sender_gives_back_what_it_has_not_begun(mail_server, running):
    posts = welcome(5)
    mail_server.hold[posts[0].email] = threading.Event()
    stop = running(1)
    eventually(lambda: mail_server.asked)

    stop.set()
    mail_server.hold[posts[0].email].set()

    eventually(lambda: states() == {"sent": 1, "pending": 4})


def test_two_intents_of_one_event_at_once_are_one_mail():
    post = Post()
    created = post.created()
    inserted, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic(using="default"):
            told(created)
            inserted.set()
            go_on.wait(5)
        connections.close_all()

    thread = threading.Thread(target=first)
    thread.start()
    assert inserted.wait(5)
    second = threading.Thread(target=lambda: (told(created), connections.close_all()))
    second.start()
    go_on.set()
    thread.join(5)
    second.join(5)

    assert Email.objects.count() == 1
