"""The Celery application: ``celery -A project worker`` and ``… beat``."""

import gc
import os

from celery import Celery
from celery.signals import task_prerun, worker_before_create_process

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("holdfast")
app.set_default()  # the one app in every thread, also in those that only send
app.config_from_object("django.conf:settings", namespace="CELERY")
# Not a setting of Celery's own namespace: tasks between two reconnects of a worker.
app.conf.CELERY_DB_REUSE_MAX = 10_000
app.steps["consumer"].add("project.heartbeat:WorkerHeartbeat")
app.steps["worker"].add("project.polling:SagaPolling")
app.steps["worker"].add("project.polling:WriteBehindPolling")
app.steps["worker"].add("project.polling:HoldListening")
app.autodiscover_tasks()


@task_prerun.connect
def drop_broken_connections(**kwargs) -> None:
    """Connections outlive tasks here; one whose server restarted is replaced before it is used, and
    one that a time limit cut off inside a transaction, which would never commit again."""
    from django.db import close_old_connections, connections

    close_old_connections()
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            connection.discard()


@worker_before_create_process.connect
def keep_out_of_collections(**kwargs) -> None:
    """What is loaded by now stays loaded: the children need not look through it again and again
    (each full collection took 0.1 s), nor copy its pages. A batch makes tens of thousands of
    objects, hardly any of them in cycles: collections need not come every 700."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
