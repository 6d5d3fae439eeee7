"""A message takes effect once."""

import pytest
from django.db import transaction

from apps.common.errors import Conflict
from apps.messaging.inbox import admit, fence, settle
from apps.messaging.models import Inbox

pytestmark = pytest.mark.django_db(databases=["catalog"])


@pytest.fixture(autouse=True)
def _transaction():
    with transaction.atomic(using="catalog"):
        yield


def test_a_new_message_is_admitted_and_its_repeat_gets_the_outcome():
    assert admit("catalog", "c", {"m": "h"}).new == {"m"}
    settle("catalog", "c", {"m": {"ok": True}})
    again = admit("catalog", "c", {"m": "h", "n": "h"})
    assert (again.new, again.outcomes) == ({"n"}, {"m": {"ok": True}})


def test_consumers_do_not_share_their_messages():
    admit("catalog", "one", {"m": "h"})
    assert admit("catalog", "two", {"m": "h"}).new == {"m"}


def test_a_key_with_another_request_is_an_error():
    admit("catalog", "c", {"m": "h"})
    settle("catalog", "c", {"m": 1})
    with pytest.raises(Conflict) as caught:
        admit("catalog", "c", {"m": "other"})
    assert caught.value.code == "key_reused"


def test_a_fence_answers_a_message_that_comes_late_whatever_it_asks():
    assert fence("catalog", "c", ["m"], "cancelled") == {"m"}
    late = admit("catalog", "c", {"m": "h"})
    assert (late.new, late.outcomes) == (set(), {"m": "cancelled"})


def test_a_fence_comes_too_late_for_what_was_applied():
    admit("catalog", "c", {"m": "h"})
    settle("catalog", "c", {"m": "reserved"})
    assert fence("catalog", "c", ["m"], "cancelled") == set()
    assert Inbox.objects.using("catalog").get().outcome == "reserved"
