"""Celery's side of orders: the tasks that it is to find."""

from apps.orders.audit.tasks import run_audit

__all__ = ["run_audit"]
