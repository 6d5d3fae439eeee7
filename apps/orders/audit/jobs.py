"""The daily audit."""

import structlog
from celery.schedules import crontab

from apps.orders.audit.models import AuditRun
from apps.orders.audit.services import audit_run
from apps.orders.enums import DATABASE
from apps.scheduling.definition import Counts, job

log = structlog.get_logger(__name__)


@job(
    name="audit",
    title="Audit the books",
    about="Compares every order, every penny at the gateway and every piece in stock.",
    schedule=crontab(hour=4, minute=30),
    database=DATABASE,
)
def run_audit() -> Counts:
    """What it finds stands in the admin and in the log."""
    report = audit_run(trigger=AuditRun.Trigger.SCHEDULE)
    if report.violations:
        log.error("audit.violations", **report.as_json(most_ids=10))
    else:
        log.info("audit.clean", seconds=round(report.seconds, 3))
    return {"checks": len(report.checks), "violations": report.violations}
