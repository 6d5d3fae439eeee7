"""The catalogue's scheduled jobs."""

from datetime import timedelta

from celery.schedules import crontab
from django.conf import settings

from apps.caching import invalidations
from apps.catalog import purging, searching, stock
from apps.catalog.caching import learning
from apps.catalog.enums import DATABASE
from apps.common.batches import in_batches
from apps.scheduling.definition import Counts, job


@job(
    name="expire-holds",
    title="Expire holds",
    about="Frees stock that was held for a while and not bought, never that of an order.",
    schedule=timedelta(minutes=1),
    database=DATABASE,
)
def expire_holds() -> Counts:
    pieces = 0

    def step(most: int) -> int:
        nonlocal pieces
        done = stock.expire_holds(most=most)
        pieces += done.pieces
        return done.holds

    return {"holds": in_batches(step), "pieces": pieces}


@job(
    name="purge-products",
    title="Purge deleted products",
    about="Removes products for good that were deleted long ago and never sold, moved or ordered.",
    schedule=crontab(hour=3, minute=10),
    database=DATABASE,
)
def purge_products() -> Counts:
    return {"products": purging.products_purge(days=settings.RETENTION_DAYS)}


@job(
    name="invalidate-pending",
    title="Invalidate what is pending",
    about="Takes out of the cache what was changed while its Redis was away.",
    schedule=timedelta(seconds=5),
    database=DATABASE,
)
def invalidate_pending() -> Counts:
    return {"changes": in_batches(lambda most: invalidations.perform(DATABASE, most=most))}


@job(
    name="know-products",
    title="Know the products",
    about="Makes anew, where it is old or lost, what answers for product ids that never were.",
    schedule=timedelta(minutes=1),
    database=DATABASE,
)
def know_products() -> Counts:
    return {"products": learning.refresh()}


@job(
    name="count-words",
    title="Count the words of names",
    about="Counts in how many names for sale each word is: for suggestions and misspelt searches.",
    schedule=crontab(minute=50),
    database=DATABASE,
)
def count_words() -> Counts:
    return {"words": searching.words_count()}
