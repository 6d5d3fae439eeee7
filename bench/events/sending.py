"""The sender of ``bench.events.tasks``: reads the outbox in sets, sends a task for each row."""

import os
from collections.abc import Callable

import psycopg

from apps.messaging.relay.queue import ENVELOPE
from bench.events import tasks
from bench.sagas.peers.job import serve

BATCH = 500
READ = f"""
    SELECT id, ({ENVELOPE})::jsonb FROM messaging_outbox AS event
    WHERE published_at IS NULL ORDER BY id LIMIT {BATCH}
"""


def prepare(job: dict) -> Callable[[], dict]:
    """The workers are there."""
    outbox = psycopg.connect(os.environ["BENCH_OUTBOX"], autocommit=True)
    return lambda: {"sent": send_all(outbox)}


def send_all(outbox: psycopg.Connection) -> int:
    """How many it sent."""
    sent = 0
    with tasks.app.producer_pool.acquire() as producer:
        while rows := outbox.execute(READ).fetchall():
            for _, event in rows:
                tasks.enter.apply_async((event,), producer=producer)
            outbox.execute(
                "UPDATE messaging_outbox SET published_at = clock_timestamp() WHERE id = ANY(%s)",
                [[number for number, _ in rows]],
            )
            sent += len(rows)
    return sent


if __name__ == "__main__":
    serve(prepare, lambda: None)
