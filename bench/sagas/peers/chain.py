"""The checkout as a Celery chain on Redis: nothing durable but the message on its way."""

import os

import redis
from celery import Celery, chain

from bench.sagas.peers import steps

DONE = "bench:chain:done"  # counts ended chains; the last of a job wakes who waits at DONE_ALL
DONE_ALL = "bench:chain:all"

app = Celery("bench", broker=os.environ["BENCH_BROKER"])
app.conf.update(
    task_ignore_result=True,
    task_default_queue="chain",
    task_serializer="json",
    worker_prefetch_multiplier=int(os.environ.get("BENCH_PREFETCH", "16")),
    worker_hijack_root_logger=False,
    broker_connection_retry_on_startup=True,
    task_publish_retry=False,
    task_acks_late=bool(os.environ.get("BENCH_LATE")),
    worker_enable_remote_control=False,
    worker_send_task_events=False,
)
authorize = app.task(steps.authorize, name="authorize")
reserve = app.task(steps.reserve, name="reserve")
schedule = app.task(steps.schedule, name="schedule")
capture = app.task(steps.capture, name="capture")
_redis = redis.Redis.from_url(os.environ["BENCH_REDIS"], socket_timeout=None)


@app.task(name="confirm")
def confirm(order: str) -> None:
    steps.confirm(order)
    if _redis.decr(DONE) == 0:
        _redis.rpush(DONE_ALL, order)


def checkout(order: str, product: int):
    """The five tasks, each sent when the one before it is done."""
    return chain(
        authorize.si(order),
        reserve.si(order, product),
        schedule.si(order),
        capture.si(order),
        confirm.si(order),
    )
