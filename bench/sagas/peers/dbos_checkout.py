"""The checkout as a DBOS workflow: a process that takes a job on standard input and answers.

``@DBOS.step`` around a pooled psycopg connection, so that a step costs the business commit and one
for its checkpoint: the fastest that DBOS offers here. Its datasource would keep a second record of
each step and go through SQLAlchemy's session, and is bound to one database.
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg
from dbos import DBOS, SetWorkflowID

from bench.sagas.peers import steps
from bench.sagas.peers.job import Order, paced, serve

QUEUE, POLL_SECONDS = "checkouts", 0.05
UNFINISHED = (
    "SELECT EXISTS (SELECT FROM dbos.workflow_status"
    " WHERE queue_name = %s AND status IN ('ENQUEUED', 'PENDING'))"
)

authorize = DBOS.step()(steps.authorize)
reserve = DBOS.step()(steps.reserve)
schedule = DBOS.step()(steps.schedule)
capture = DBOS.step()(steps.capture)
confirm = DBOS.step()(steps.confirm)


@DBOS.workflow()
def checkout(order: str, product: int) -> None:
    authorize(order)
    reserve(order, product)
    schedule(order)
    capture(order)
    confirm(order)


def run_one(order: str, product: int) -> None:
    """One saga in the calling thread; the order's id is the workflow's, so it happens once."""
    with SetWorkflowID(order):
        checkout(order, product)


def run_all(orders: Sequence[Order], threads: int) -> None:
    """All of them, ``threads`` at a time."""
    waiting, lock = iter(orders), threading.Lock()

    def work() -> None:
        while True:
            with lock:
                one = next(waiting, None)
            if one is None:
                return
            run_one(*one)

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work) for _ in range(threads)]:
            done.result()


def enqueue(orders: Sequence[Order]) -> list:
    """Hands them to the queue; their handles."""
    queue, handles = DBOS.retrieve_queue(QUEUE), []
    for order, product in orders:
        with SetWorkflowID(order):
            handles.append(queue.enqueue(checkout, order, product))
    return handles


def drain(threads: int) -> None:
    """Lets the queue's worker go and returns when nothing is left to do."""
    DBOS.retrieve_queue(QUEUE).set_worker_concurrency(threads)
    with psycopg.connect(os.environ["BENCH_DBOS"], autocommit=True) as connection:
        while connection.execute(UNFINISHED, [QUEUE]).fetchone()[0]:
            time.sleep(0.02)


def prepare(job: dict) -> Callable[[], dict]:
    """Starts DBOS and accepts what is queued; what is left is what the clock runs for."""
    threads, orders = job["threads"], [tuple(one) for one in job["orders"]]
    for database in (steps.ORDERS, steps.CATALOG):
        steps.pool(database)  # before there are threads that would each make one
    DBOS(
        config={
            "name": "bench",
            "system_database_url": job["system_database_url"],
            "sys_db_pool_size": threads + 4,
            "db_engine_kwargs": {"pool_pre_ping": False},  # 12 round trips fewer per saga
            "max_executor_threads": max(threads, 16),
            "application_version": "1",
            "executor_id": str(os.getpid()),
            "log_level": "ERROR",
        }
    )
    DBOS.launch()
    run_all([tuple(one) for one in job["warm_up"]], threads)
    if job["mode"] == "direct":
        if job.get("per_second"):
            return lambda: {"latencies_ms": paced(orders, job["per_second"], run_one)}
        return lambda: {"done": run_all(orders, threads) or len(orders)}
    paused = 0 if not job.get("per_second") else threads
    DBOS.register_queue(QUEUE, worker_concurrency=paused, polling_interval_sec=POLL_SECONDS)
    time.sleep(2.5)  # the queue manager looks for new queues once a second
    if job.get("per_second"):
        return lambda: {"latencies_ms": paced(orders, job["per_second"], _queue_and_wait)}
    begun, cpu = time.perf_counter(), time.process_time()
    enqueue(orders)
    accepted = {
        "accept_seconds": time.perf_counter() - begun,
        "accept_cpu_seconds": time.process_time() - cpu,
    }
    return lambda: {"done": drain(threads) or len(orders), **accepted}


def _queue_and_wait(order: str, product: int) -> None:
    [handle] = enqueue([(order, product)])
    handle.get_result(polling_interval_sec=0.01)


if __name__ == "__main__":
    serve(prepare, DBOS.destroy)
