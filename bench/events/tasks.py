"""What is compared: a Celery task for each event, on the same Redis, from the same outbox rows.

A sender reads the rows in sets and sends a task each; a worker enters the event in the inbox, in a
transaction of its own, and acknowledges late, as who must not lose an event does.
"""

import os
from functools import lru_cache
from typing import Any

import psycopg
from celery import Celery

CONSUMER = "bench-celery"
app = Celery("bench", broker=os.environ.get("BENCH_BROKER"))
app.conf.update(
    task_ignore_result=True,
    task_default_queue="events",
    task_serializer="json",
    task_acks_late=True,
    worker_prefetch_multiplier=16,
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
)


@lru_cache(maxsize=1)
def _inbox(process: int) -> psycopg.Connection:
    return psycopg.connect(os.environ["BENCH_INBOX"])


@app.task(name="enter")
def enter(event: dict[str, Any]) -> None:
    with _inbox(os.getpid()).transaction() as transaction:
        transaction.connection.execute(
            "INSERT INTO messaging_inbox (consumer, message_id, request_hash)"
            " VALUES (%s, %s, '') ON CONFLICT DO NOTHING",
            [CONSUMER, event["event_id"]],
        )
