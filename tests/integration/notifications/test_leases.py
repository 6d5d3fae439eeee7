"""A mail is one sender's at a time, by the database's clock."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from apps.notifications import claiming, transport
from apps.notifications.mailer import Sender, send_due
from apps.notifications.models import Email
from tests.integration.notifications.post import Post, due_now, told, welcome

pytestmark = pytest.mark.django_db


def test_a_server_that_never_answers_is_hung_up_on(mail_server, monkeypatch):
    posts = welcome(1)
    mail_server.hold[posts[0].email] = threading.Event()
    monkeypatch.setattr(transport, "SEND_SECONDS", 0.1)
    sender = Sender(threading.Event())

    assert sender.drain() == 0
    mail_server.hold[posts[0].email].set()
    [mail] = Email.objects.all()
    assert (mail.state, mail.attempts) == ("pending", 1)
    assert mail.error.startswith("SMTPServerDisconnected")


def test_who_lost_the_lease_begins_no_mail(mail_server):
    welcome(1)
    [mine] = claiming.claim(10)
    due_now()
    [theirs] = claiming.claim(10)

    assert claiming.begin(mine) is None
    claiming.put_back([mine], seconds=0.0, error="mine")
    claiming.failed(mine, "mine")
    assert claiming.begin(theirs) == 1
    assert [(mail.state, mail.error) for mail in Email.objects.all()] == [("sending", "")]


def test_what_the_server_took_is_sent_although_the_lease_is_lost(mail_server):
    welcome(1)
    [mine] = claiming.claim(10)
    claiming.begin(mine)
    due_now()
    [theirs] = claiming.claim(10)

    claiming.sent(mine)

    assert claiming.begin(theirs) is None
    assert [mail.state for mail in Email.objects.all()] == ["sent"]


def test_a_claimed_mail_is_nobody_elses_until_the_lease_ends(mail_server):
    welcome(1)
    claiming.claim(10)

    assert claiming.claim(10) == []
    due_now()
    assert len(claiming.claim(10)) == 1


def test_a_mail_over_which_every_sender_died_fails(mail_server):
    welcome(1)
    for _ in range(claiming.MOST_ATTEMPTS):
        [mail] = claiming.claim(10)
        claiming.begin(mail)
        due_now()

    assert claiming.claim(10) == []
    [mail] = Email.objects.all()
    assert (mail.state, mail.error) == ("failed", "No attempt to send it ever ended.")


def test_no_mail_waits_longer_than_a_minute_to_be_looked_at_again(mail_server):
    post = Post()
    told(post.confirmed())
    Email.objects.update(created_at=datetime.now(UTC) - timedelta(hours=5))

    send_due()

    wait = Email.objects.get().next_attempt_at - datetime.now(UTC)
    assert timedelta(seconds=50) < wait <= timedelta(seconds=60)
