"""``manage.py send_mails``, as it runs beside the shop."""

import signal

import pytest

from apps.notifications.models import Email
from tests.integration.notifications.post import Post, told
from tests.processes import eventually


@pytest.mark.django_db(transaction=True, databases=["default"])
def test_the_mailer_sends_what_comes_and_ends_in_good_order(shop, mail_server):
    first, second = Post(email="1@example.com"), Post(email="2@example.com")
    told(first.created())
    mailer = shop.manage("send_mails", EMAIL_URL=f"smtp://127.0.0.1:{mail_server.port}")
    mail_server.wait_for(1)
    told(second.created())
    mail_server.wait_for(2)
    eventually(lambda: Email.objects.filter(state="sent").count() == 2)

    mailer.popen.send_signal(signal.SIGTERM)

    assert mailer.wait() == 0, mailer.output()
