"""Sends chains to the workers that run ``bench.sagas.peers.chain`` and waits for their end."""

import time
from collections.abc import Callable

from bench.sagas.peers import chain, steps
from bench.sagas.peers.job import paced, serve


def prepare(job: dict) -> Callable[[], dict]:
    """Workers are there (or stopped, where all is to be sent first)."""
    orders, redis = [tuple(one) for one in job["orders"]], chain._redis
    redis.delete(chain.DONE, chain.DONE_ALL)
    if job.get("per_second"):
        redis.set(chain.DONE, 10**9)
        return lambda: {"latencies_ms": paced(orders, job["per_second"], _send_and_wait)}
    redis.set(chain.DONE, len(orders))
    begun, cpu = time.perf_counter(), time.process_time()
    for order, product in orders:
        chain.checkout(order, product).apply_async()
    accepted = {
        "accept_seconds": time.perf_counter() - begun,
        "accept_cpu_seconds": time.process_time() - cpu,
    }
    return lambda: {"done": drain(len(orders)), **accepted}


def drain(count: int) -> int:
    if chain._redis.blpop([chain.DONE_ALL], timeout=900) is None:
        raise SystemExit(f"{chain._redis.get(chain.DONE)} of {count} chains did not end")
    return count


def _send_and_wait(order: str, product: int) -> None:
    chain.checkout(order, product).apply_async()
    while True:
        with steps.pool(steps.ORDERS).connection() as connection:
            row = connection.execute("SELECT status FROM orders_order WHERE id = %s", [order])
            if row.fetchone()[0] == "confirmed":
                return
        time.sleep(0.005)


if __name__ == "__main__":
    serve(prepare, lambda: None)
