"""The room's own job: records that nobody asks for any more, in every database."""

from datetime import timedelta

from django.conf import settings

from apps.common.batches import in_batches
from apps.messaging import idempotency
from apps.scheduling.definition import Counts, job
from apps.scheduling.enums import DATABASE
from apps.scheduling.running import runs_forget


@job(
    name="forget-records",
    title="Forget old records",
    about="Removes answers kept for repeated requests after a day, and old records of job runs.",
    schedule=timedelta(hours=1),
    database=DATABASE,
)
def forget_records() -> Counts:
    answers = sum(
        in_batches(
            lambda most, alias=alias: idempotency.forget(
                alias, hours=settings.IDEMPOTENCY_HOURS, most=most
            )
        )
        for alias in settings.DATABASES
    )
    runs = in_batches(lambda most: runs_forget(days=settings.JOB_RUN_DAYS, most=most))
    return {"answers": answers, "job_runs": runs}
