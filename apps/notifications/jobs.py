"""The room's own job: mails hold names and addresses, so they are not kept for ever."""

from datetime import timedelta

from celery.schedules import crontab
from django.conf import settings

from apps.common.batches import in_batches
from apps.common.databases import execute
from apps.notifications.enums import DATABASE
from apps.scheduling.definition import Counts, job


@job(
    name="forget-mails",
    title="Forget old mails",
    about="Removes mails that were sent, failed or skipped long ago, and what was ordered then.",
    schedule=crontab(hour=3, minute=40),
    database=DATABASE,
)
def forget_mails() -> Counts:
    age = timedelta(days=settings.EMAIL_LOG_DAYS)
    return {
        "mails": in_batches(lambda most: _emails_forget(age, most)),
        "orders": in_batches(lambda most: _orders_forget(age, most)),
    }


def _emails_forget(age: timedelta, most: int) -> int:
    # Only the oldest are looked at: ids grow with time.
    return execute(
        DATABASE,
        """
        DELETE FROM notifications_email WHERE id IN (
            SELECT id FROM (
                SELECT id, created_at, state FROM notifications_email ORDER BY id LIMIT %s
            ) AS oldest
            WHERE created_at < clock_timestamp() - %s AND state NOT IN ('pending', 'sending')
        )
        """,
        [most, age],
    )


def _orders_forget(age: timedelta, most: int) -> int:
    return execute(
        DATABASE,
        """
        DELETE FROM notifications_orderfacts WHERE order_id IN (
            SELECT order_id FROM (
                SELECT order_id, placed_at FROM notifications_orderfacts
                ORDER BY order_id LIMIT %s
            ) AS oldest
            WHERE placed_at < clock_timestamp() - %s
        )
        """,
        [most, age],
    )
