"""A sender is killed around each of its commits; the next one sends what is left.

Nothing is lost. A mail goes twice only where the server had said yes and nobody wrote it down, and
then both times under one id.
"""

import signal

import pytest

from apps.notifications.mailer import send_due
from tests.crash.failpoints.forks import forked
from tests.integration.notifications.post import due_now, welcome

pytestmark = pytest.mark.django_db(transaction=True, databases=["default"])

# Where the first sender dies → how many mails the server has then, and in the end.
DEATHS = {
    "notifications.claim.before_commit": (0, 3),
    "notifications.claim.after_commit": (0, 3),
    "notifications.begin.before_commit": (0, 3),
    "notifications.begin.after_commit": (0, 3),
    "notifications.settle.before_commit": (1, 4),
    "notifications.settle.after_commit": (1, 3),
}


def test_a_sender_that_dies_loses_no_mail_and_repeats_only_the_one_in_its_hand(mail_server):
    came = {}
    for place in DEATHS:
        mail_server.taken.clear()
        posts = welcome(3)
        code = forked(send_due, failpoint=f"{place}:1:kill")
        assert code == -signal.SIGKILL, place
        at_death = len(mail_server.taken)
        due_now()  # as when the lease has ended
        send_due()
        came[place] = (at_death, len(mail_server.taken))
        assert [post.states() for post in posts] == [{"welcome": "sent"}] * 3, place
        assert len({mail["Message-ID"] for mail in mail_server.taken}) == 3, place

    assert came == DEATHS
