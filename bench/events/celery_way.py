"""Drives the peer: sender and worker side by side."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.events import carriers, outboxes, tasks
from bench.events.flow import Flow
from bench.jobs import run_jobs
from bench.shop import ROOT, Process, Shop
from bench.work import cpu_between, moment

CHILDREN, REDIS_DATABASE, WARM_UP = 2, 14, 200
SENDER = "bench.events.sending"


def flow(shop: Shop, events: int) -> Flow:
    """``events`` from the outbox to the inbox, a task each."""
    outboxes.settle(shop)
    variables = _environment(shop)
    moments, began = [], []
    with (
        _worker(shop, variables),
        shop.connect("orders") as orders,
        shop.connect("reporting") as reporting,
    ):
        query = "DELETE FROM messaging_inbox WHERE consumer = %s"
        reporting.execute(query, [tasks.CONSUMER])
        outboxes.fill(orders, WARM_UP)
        run_jobs(SENDER, [{}], variables)
        carriers.wait_for(shop, tasks.CONSUMER, WARM_UP, "warm-up of Celery")
        outboxes.fill(orders, events)
        orders.execute("CHECKPOINT")

        def begin() -> None:
            moments.append(moment(orders))
            began.append(orders.execute("SELECT clock_timestamp()").fetchone()[0])

        run_jobs(SENDER, [{}], variables, begin)
        carriers.wait_for(shop, tasks.CONSUMER, WARM_UP + events, "Celery")
        moments.append(moment(orders))
        seconds = carriers.seconds_until_last(reporting, tasks.CONSUMER, began[0])
    return Flow(events, seconds, cpu_between(*moments))


def _environment(shop: Shop) -> dict[str, str]:
    socket = shop.places.redis_durable
    return dict(os.environ) | {
        "PYTHONPATH": str(ROOT),
        "BENCH_BROKER": f"redis+socket://{socket}?virtual_host={REDIS_DATABASE}",
        "BENCH_OUTBOX": shop.conninfo("orders"),
        "BENCH_INBOX": shop.conninfo("reporting"),
    }


@contextmanager
def _worker(shop: Shop, variables: dict[str, str]) -> Iterator[Process]:
    from project.local.supervisor import Service

    command = [sys.executable, "-m", "celery", "-A", "bench.events.tasks", "worker"]
    command += ["--pool", "prefork", "--concurrency", str(CHILDREN), "--loglevel", "ERROR"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    stop = ((signal.SIGTERM, 20), (signal.SIGQUIT, 3))
    process = shop.start(Service("celery-way", command, stop=stop, environment=variables))
    try:
        yield process
    finally:
        process.stop()
