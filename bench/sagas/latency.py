"""From accept to confirmed while little is going on: 5 orders a second."""

import time
from typing import Any

from bench.figures import latencies
from bench.jobs import run_jobs
from bench.sagas import rivals
from bench.sagas.accepting import job_of, orders
from bench.sagas.peers.orders import accept
from bench.sagas.screen import Progress
from bench.shop import Shop

PER_SECOND, COUNT, WARM_UP = 5.0, 200, 10
FINISHED = """
    SELECT id, extract(epoch FROM finished_at)::float8, status
    FROM sagas_sagarun WHERE id = ANY(%s)
"""


def measure(shop: Shop, runs: int, progress: Progress) -> dict[str, dict[str, Any]]:
    """Each side's p50 and p99; Holdfast's with the gateway process, and beside it on account."""
    count = min(COUNT, max(runs // 100, 10))
    with shop.workers():
        facts = latencies(of_holdfast(shop, count, "card"))
        facts["without_gateway"] = latencies(of_holdfast(shop, count, "account"))
    found = {"holdfast": facts}
    for name, mode in (("dbos_direct", "direct"), ("dbos_queued", "queued")):
        job = rivals.dbos_job(shop, mode, rivals.QUEUE_THREADS, count, per_second=PER_SECOND)
        variables = rivals.environment(shop, rivals.QUEUE_THREADS)
        [answer] = run_jobs(rivals.DBOS, [job], variables)
        found[name] = latencies(answer["latencies_ms"])
    with rivals.chain_workers(shop, acks_late=True):
        variables = rivals.environment(shop, 1)
        accepted = accept(shop.conninfo("peers_orders"), count + 1, shop.product_keys)
        run_jobs(rivals.CHAIN, [{"orders": accepted[:1]}], variables)
        job = {"orders": accepted[1:], "per_second": PER_SECOND}
        [answer] = run_jobs(rivals.CHAIN, [job], variables)
        found["celery_chain"] = latencies(answer["latencies_ms"])
    for name, facts in found.items():
        progress.say(f"latency of {name}: p50 {facts['p50_ms']} ms, p99 {facts['p99_ms']} ms")
    return found


def of_holdfast(
    shop: Shop, count: int, payment_method: str, prefix: str = "latency"
) -> list[float]:
    """Milliseconds from asking the facade to the run's end by the database's clock, the same."""
    job = job_of(
        shop,
        prefix=f"{prefix}-{payment_method}",
        products=len(shop.products),
        payment_method=payment_method,
    )
    place, asked = orders(job), {}
    for number in range(WARM_UP):
        place(-1 - number)
    begun = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
        at = time.time()
        asked[place(number).saga_id] = at
    with shop.connect("orders") as connection:
        deadline = time.monotonic() + 60
        while True:
            rows = connection.execute(FINISHED, [list(asked)]).fetchall()
            if all(row[2] == "completed" for row in rows):
                return [(finished - asked[run_id]) * 1000 for run_id, finished, _ in rows]
            if time.monotonic() > deadline:
                raise SystemExit(f"not completed: {[row[2] for row in rows]}")
            time.sleep(0.2)
