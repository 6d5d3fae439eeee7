"""Events become mails, each once; what the mail server says is what becomes of them."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.core import mail as outbox

from apps.notifications.mailer import send_due
from apps.notifications.models import Email, OrderFacts, Recipient
from apps.notifications.selectors import backlog
from apps.notifications.services import preference_change
from apps.notifications.transport import ServerAway
from tests.integration.notifications.post import Post, due_now, told

pytestmark = pytest.mark.django_db


def test_the_course_of_an_order_is_told_by_mail(mail_server):
    post = Post()
    told(post.created(), post.placed(), post.confirmed(), post.shipped(), post.returned())

    assert send_due() == 4

    assert [mail["Subject"] for mail in mail_server.taken] == [
        "Welcome to Holdfast",
        "Your order 6A1B2C3D is confirmed",
        "Your order 6A1B2C3D is on its way",
        "Your refund for order 6A1B2C3D",
    ]
    assert {mail["To"] for mail in mail_server.taken} == {"ada@example.com"}
    assert set(post.states().values()) == {"sent"}
    assert [mail.attempts for mail in post.emails()] == [1, 1, 1, 1]


def test_an_event_told_again_is_no_second_mail(mail_server):
    post = Post()
    confirmed = post.confirmed()
    told(post.created(signed_up=False), post.placed(), confirmed, confirmed)
    send_due()
    told(confirmed, post.placed())

    assert send_due() == 0
    assert len(mail_server.taken) == 1


def test_who_was_added_by_staff_or_an_import_gets_no_welcome():
    post = Post()
    told(post.created(signed_up=False))

    assert (post.emails(), Recipient.objects.get().email) == ([], "ada@example.com")


def test_the_newest_event_of_a_customer_counts_in_any_order(mail_server):
    post = Post()
    told(post.updated("newer@example.com", 3), post.updated("old@example.com", 2))
    told(post.created(version=1, signed_up=True))

    send_due()

    assert [mail["To"] for mail in mail_server.taken] == ["newer@example.com"]


def test_a_mail_waits_for_the_order_and_the_customer(mail_server):
    post = Post()
    told(post.confirmed())
    assert send_due() == 0
    [mail] = post.emails()
    assert (mail.state, mail.attempts, mail.error) == (
        *("pending", 0, "Nothing is known of the customer."),
    )

    told(post.created(signed_up=False))
    due_now()
    assert send_due() == 0
    assert post.emails()[0].error == "What was ordered is not known yet."

    told(post.placed())
    due_now()
    assert send_due() == 1
    assert "Mug, blue" in mail_server.taken[0].get_body(("plain",)).get_content()


def test_a_mail_about_an_order_nobody_told_of_goes_without_the_list(mail_server):
    post = Post()
    told(post.created(signed_up=False), post.shipped())
    Email.objects.update(created_at=datetime.now(UTC) - timedelta(minutes=2))

    assert send_due() == 1
    text = mail_server.taken[0].get_body(("plain",)).get_content()
    assert "HF00012345" in text and "£1,273.95" in text and "Mug" not in text


def test_a_mail_for_somebody_unknown_fails_after_a_day():
    post = Post()
    told(post.confirmed())
    long_ago = datetime.now(UTC) - timedelta(hours=25)
    Email.objects.update(created_at=long_ago, occurred_at=long_ago)

    send_due()

    assert [(one.state, one.error) for one in post.emails()] == [
        ("failed", "Nothing is known of the customer.")
    ]


def test_an_old_event_writes_to_nobody(mail_server):
    """As when the group reads a log from its beginning."""
    post = Post()
    told(
        post.created(signed_up=False),
        post.placed(),
        post.confirmed(occurred_at=datetime.now(UTC) - timedelta(days=4)),
    )

    send_due()

    assert (mail_server.taken, post.states()) == ([], {"order_confirmed": "skipped"})


def test_who_is_deleted_gets_no_mail(mail_server):
    post = Post()
    told(post.created(), post.placed(), post.confirmed(), post.deleted(2))

    send_due()

    assert (mail_server.taken, set(post.states().values())) == ([], {"skipped"})


def test_unwanted_kinds_are_skipped_and_the_welcome_is_not(mail_server):
    post = Post()
    told(post.created(), post.placed(), post.confirmed(), post.shipped())
    preference_change(customer_id=post.customer_id, wanted={"order_shipped": False})

    send_due()

    assert post.states() == {
        "welcome": "sent",
        "order_confirmed": "sent",
        "order_shipped": "skipped",
    }
    assert len(mail_server.taken) == 2


def test_a_refused_recipient_fails_at_once_and_holds_up_nobody(mail_server):
    good, bad = Post(), Post(email="nobody@example.com", order_id=uuid4())
    mail_server.recipients[bad.email] = "550 no such user"
    told(bad.created(), good.created())

    assert send_due() == 1

    [failed] = bad.emails()
    assert (failed.state, failed.attempts, failed.error) == ("failed", 1, "550 no such user")
    assert good.states() == {"welcome": "sent"}


def test_a_refused_mail_fails_at_once(mail_server):
    post = Post()
    mail_server.mails[post.email] = "554 spam"
    told(post.created())

    send_due()

    assert [(one.state, one.attempts, one.error) for one in post.emails()] == [
        ("failed", 1, "554 spam")
    ]


def test_a_server_that_is_busy_is_asked_again_later_and_in_the_end_no_more(mail_server):
    post = Post()
    mail_server.recipients[post.email] = "451 later"
    told(post.created())
    for _ in range(10):
        send_due()
        due_now()

    assert send_due() == 0
    [mail] = post.emails()
    assert (mail.state, mail.attempts, mail.error) == ("failed", 10, "451 later")
    assert mail_server.asked == [post.email] * 10


def test_a_mail_whose_answer_is_lost_goes_again_under_the_same_id(mail_server):
    post = Post()
    mail_server.hang_up[post.email] = 1
    told(post.created())
    send_due()
    assert post.states() == {"welcome": "pending"}

    due_now()
    assert send_due() == 1

    first, second = mail_server.taken
    assert first["Message-ID"] == second["Message-ID"]
    assert re.fullmatch(r"<[0-9a-f-]{36}\.welcome\.0@localhost>", first["Message-ID"])
    assert post.states() == {"welcome": "sent"}


def test_a_server_that_is_away_costs_no_attempt(mail_server, settings):
    post = Post()
    told(post.created())
    settings.EMAIL_PORT = 1
    with pytest.raises(ServerAway):
        send_due()
    [mail] = post.emails()
    assert (mail.state, mail.attempts) == ("pending", 0)
    assert mail.error.startswith("The mail server is away: ConnectionRefusedError")

    settings.EMAIL_PORT = mail_server.port
    due_now()
    assert send_due() == 1
    assert [(one.state, one.attempts, one.error) for one in post.emails()] == [("sent", 1, "")]


def test_what_waits_and_what_failed_is_counted(mail_server):
    waiting, failed, sent = (Post(email=f"{name}@example.com") for name in "abc")
    mail_server.recipients |= {waiting.email: "451 later", failed.email: "550 nobody"}
    told(waiting.created(), failed.created(), sent.created())
    send_due()

    behind = backlog()

    assert (behind.waiting, behind.failed) == (1, 1)
    assert 0 < behind.age < 60


def test_an_address_no_message_can_have_fails_at_once(mail_server):
    post = Post(email="ada@exa mple.com\nBcc: all@example.com")
    told(post.created())

    send_due()

    [mail] = post.emails()
    assert (mail.state, mail_server.taken) == ("failed", [])


def test_mails_are_files_by_default(settings, tmp_path):
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    post = Post()
    told(post.created())

    assert send_due() == 1
    [written] = tmp_path.glob("*.log")
    assert "Subject: Welcome to Holdfast" in written.read_text()


def test_a_batch_is_noted_in_a_few_statements(django_assert_num_queries):
    posts = [Post(email=f"{n}@example.com", order_id=uuid4()) for n in range(50)]
    events = [one for post in posts for one in (post.created(), post.placed(), post.confirmed())]

    with django_assert_num_queries(5, using="default"):  # with its savepoint
        told(*events)

    assert (Email.objects.count(), OrderFacts.objects.count()) == (100, 50)
    assert outbox.outbox == []
