"""The Celery application: ``celery -A project worker`` and ``… beat``."""

import os

from celery import Celery
from celery.signals import task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("holdfast")
app.set_default()  # the one app in every thread, also in those that only send
app.config_from_object("django.conf:settings", namespace="CELERY")
# Not a setting of Celery's own namespace: tasks between two reconnects of a worker.
app.conf.CELERY_DB_REUSE_MAX = 10_000
app.steps["consumer"].add("project.heartbeat:WorkerHeartbeat")
app.autodiscover_tasks()


@task_prerun.connect
def drop_broken_connections(**kwargs) -> None:
    """Connections outlive tasks here; one whose server restarted is replaced before it is used."""
    from django.db import close_old_connections

    close_old_connections()
