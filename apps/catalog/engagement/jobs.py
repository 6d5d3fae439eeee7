"""Finds the notes that the consumer left behind."""

from datetime import timedelta

from apps.catalog.engagement.counting import notes_count, notes_waiting
from apps.catalog.engagement.names import AWAY
from apps.catalog.enums import DATABASE
from apps.scheduling.definition import Counts, job


@job(
    name="count-sales",
    title="Count sales",
    about="Adds sales to best-sellers and bought together that could not be added at once.",
    schedule=timedelta(minutes=1),
    database=DATABASE,
)
def count_sales() -> Counts:
    try:
        counted = notes_count()
    except AWAY:
        counted = 0
    return {"counted": counted, "waiting": notes_waiting()}
