"""Mails are kept for their time, and no longer."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from apps.notifications.jobs import forget_mails
from apps.notifications.models import Email, OrderFacts
from tests.integration.notifications.post import Post, told

pytestmark = pytest.mark.django_db


def test_old_mails_go_unless_they_still_wait():
    posts = {name: Post(order_id=uuid4()) for name in ("sent", "failed", "pending", "new")}
    told(*(event for post in posts.values() for event in (post.placed(), post.confirmed())))
    long_ago = datetime.now(UTC) - timedelta(days=181)
    for name, post in posts.items():
        mails = Email.objects.filter(customer_id=post.customer_id)
        if name == "new":
            mails.update(state="sent")
        else:
            mails.update(state=name, created_at=long_ago)
            OrderFacts.objects.filter(order_id=post.order_id).update(placed_at=long_ago)
    OrderFacts.objects.filter(order_id=posts["new"].order_id).update(placed_at=datetime.now(UTC))

    assert forget_mails.function() == {"mails": 2, "orders": 3}

    kept = set(Email.objects.values_list("customer_id", flat=True))
    assert kept == {posts["pending"].customer_id, posts["new"].customer_id}
    assert OrderFacts.objects.get().order_id == posts["new"].order_id
