"""Celery's side of the audit."""

import structlog
from celery import shared_task

from apps.orders.audit.models import AuditRun
from apps.orders.audit.services import audit_run

log = structlog.get_logger(__name__)


@shared_task(ignore_result=True)
def run_audit() -> None:
    """The daily audit; what it finds stands in the admin and in the log."""
    report = audit_run(trigger=AuditRun.Trigger.SCHEDULE)
    if report.violations:
        log.error("audit.violations", **report.as_json(most_ids=10))
    else:
        log.info("audit.clean", seconds=round(report.seconds, 3))
