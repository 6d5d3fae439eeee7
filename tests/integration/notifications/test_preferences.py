"""``/api/v1/me/notification-preferences``."""

import pytest

from apps.notifications.models import Preference

pytestmark = pytest.mark.django_db
PATH = "/api/v1/me/notification-preferences"
ALL = {
    "order_confirmed": True,
    "order_shipped": True,
    "order_cancelled": True,
    "order_refunded": True,
}


def test_who_has_said_nothing_wants_all(api):
    answer = api.get(PATH)

    assert (answer.status_code, answer.json()) == (200, ALL | {"version": 1})
    assert answer["ETag"] == '"1"'
    assert Preference.objects.count() == 0


def test_a_kind_is_turned_off_and_the_others_stay(api, ada):
    answer = api.patch(PATH, {"order_shipped": False}, headers={"If-Match": '"1"'})

    assert answer.json() == ALL | {"order_shipped": False, "version": 2}
    assert api.get(PATH).json() == answer.json()
    [row] = Preference.objects.all()
    assert (row.customer_id, row.order_shipped) == (ada.public_id, False)


def test_what_is_so_already_is_no_change(api):
    api.patch(PATH, {"order_shipped": False})

    assert api.patch(PATH, {"order_shipped": False, "order_refunded": True}).json()["version"] == 2


def test_a_change_of_what_has_changed_is_a_conflict(api):
    api.patch(PATH, {"order_shipped": False})

    answer = api.patch(PATH, {"order_refunded": False}, headers={"If-Match": '"1"'})

    assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
    assert api.get(PATH).json() == ALL | {"order_shipped": False, "version": 2}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"welcome": False}, "welcome", "unknown_field"),
        ({"order_shipped": "no"}, "order_shipped", "invalid"),
        ({"order_shipped": None}, "order_shipped", "null"),
    ],
)
def test_a_bad_change_is_refused(api, body, field, code):
    answer = api.patch(PATH, body)

    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]
    assert Preference.objects.count() == 0


def test_what_i_know_already_is_not_sent_again(api):
    assert api.get(PATH, headers={"If-None-Match": '"1"'}).status_code == 304
