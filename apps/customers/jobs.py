"""The scheduled jobs about people."""

from datetime import timedelta

from celery.schedules import crontab
from django.conf import settings

from apps.common.batches import in_batches
from apps.customers import purging
from apps.customers.enums import DATABASE
from apps.scheduling.definition import Counts, job


@job(
    name="purge-customers",
    title="Purge deleted customers",
    about="Removes addresses deleted long ago, and accounts deleted long ago that never ordered.",
    schedule=crontab(hour=3, minute=20),
    database=DATABASE,
)
def purge_customers() -> Counts:
    days = settings.RETENTION_DAYS
    addresses = in_batches(lambda most: purging.addresses_purge(days=days, most=most))
    return {"addresses": addresses, "customers": purging.customers_purge(days=days)}


@job(
    name="clear-sessions",
    title="Clear sessions",
    about="Removes sessions that have expired, and logins from the list whose session is gone.",
    schedule=timedelta(hours=1),
    database=DATABASE,
)
def clear_sessions() -> Counts:
    return {
        "sessions": in_batches(lambda most: purging.sessions_clear(most=most)),
        "logins": in_batches(lambda most: purging.logins_clear(most=most)),
    }
