"""The log of mails in the back office."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from apps.customers.models import User
from apps.messaging.models import StaffChange
from apps.notifications.mailer import send_due
from apps.notifications.models import Email
from apps.notifications.services import preference_change
from tests.integration.notifications.post import Post, told

pytestmark = pytest.mark.django_db(databases="__all__")


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root@example.com", name="Root"))
    return client


@pytest.fixture
def post(mail_server) -> Post:
    one = Post()
    told(one.created(signed_up=False), one.placed(), one.shipped())
    send_due()
    return one


def resend(client: Client, mail: Email, reason: str = "It went to an old address."):
    path = reverse("admin:notifications_email_resend", args=[mail.pk])
    return client.post(path, {"_form_submitted": "on", "reason": reason}, follow=True)


def test_a_mail_is_found_and_read(staff, post):
    [mail] = post.emails()
    for term in (post.email, str(post.order_id), str(post.customer_id), str(mail.event_id)):
        assert (
            mail.subject in staff.get("/admin/notifications/email/", {"q": term}).content.decode()
        )
    none = staff.get("/admin/notifications/email/", {"state": "failed"}).content.decode()
    assert mail.subject not in none

    page = staff.get(f"/admin/notifications/email/{mail.pk}/change/").content.decode()

    assert "Tracking number: HF00012345" in page
    assert "Tea &lt;Earl &amp; Grey&gt;" in page


def test_a_mail_goes_again_as_a_copy_to_where_the_customer_is_now(staff, post, mail_server):
    [first] = post.emails()
    told(post.updated("new@example.com", 2))
    preference_change(customer_id=post.customer_id, wanted={"order_shipped": False})

    assert resend(staff, first).status_code == 200
    assert send_due() == 1

    first_sent, second_sent = mail_server.taken
    assert (first_sent["To"], second_sent["To"]) == ("ada@example.com", "new@example.com")
    assert second_sent["Message-ID"] == first_sent["Message-ID"].replace(".0@", ".1@")
    assert [(mail.copy, mail.state) for mail in post.emails()] == [(0, "sent"), (1, "sent")]
    [change] = StaffChange.objects.using("default").filter(action="resend")
    assert (change.subject_id, change.actor_name, change.after["reason"]) == (
        *(str(first.pk), "Root <root@example.com>", "It went to an old address."),
    )


def test_it_does_not_go_again_while_a_copy_is_on_its_way(staff, post):
    [first] = post.emails()
    resend(staff, first)

    answer = resend(staff, first)

    assert "It is still on its way." in answer.content.decode()
    assert [mail.copy for mail in post.emails()] == [0, 1]


def test_it_does_not_go_again_without_a_reason(staff, post):
    [first] = post.emails()

    resend(staff, first, reason="  ")

    assert len(post.emails()) == 1


def test_who_may_only_look_sends_nothing(post):
    [mail] = post.emails()
    client = Client()
    reader = User.objects.create_user("reader@example.com", name="Reader", is_staff=True)
    reader.groups.add(Group.objects.get(name="Read-only"))
    client.force_login(reader)

    assert client.get(f"/admin/notifications/email/{mail.pk}/change/").status_code == 200
    assert resend(client, mail).status_code == 403
    assert len(post.emails()) == 1


def test_preferences_are_visible(staff, post):
    preference_change(customer_id=post.customer_id, wanted={"order_shipped": False})

    page = staff.get("/admin/notifications/preference/", {"q": str(post.customer_id)})

    assert post.email in page.content.decode()
