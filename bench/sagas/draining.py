"""Holdfast's own drainings: accept with the workers paused, let go, look when the last is done."""

import time
from dataclasses import replace
from typing import Any

from bench.sagas.accepting import accept
from bench.sagas.figures import Drain
from bench.shop import Process, Shop
from bench.work import commits, cpu_between, moment

LIVE = (
    "SELECT EXISTS (SELECT FROM sagas_sagarun"
    " WHERE status IN ('pending', 'in_progress', 'compensating'))"
)
ENDED = """
    SELECT count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed'),
        extract(epoch FROM max(finished_at) - %(began)s)::float8
    FROM sagas_sagarun WHERE created_at >= %(accepted)s
"""
WARM_UP, LOOK_EVERY, PATIENCE = 400, 0.05, 900.0


def drain(
    shop: Shop,
    count: int,
    *,
    prefix: str,
    products: int | None = None,
    children: int | None = None,
    count_commits: bool = False,
) -> Drain:
    """Accepts ``count`` orders over ``products`` products while nobody works, then measures how
    long ``children`` (default: as many as ``make up`` has) worker processes take for them."""
    spread = products or len(shop.products)
    with shop.workers(children) as workers, shop.connect("orders") as connection:
        accept(shop, min(count, WARM_UP), prefix=f"{prefix}-warm", products=spread)
        wait_until_ended(connection)
        time.sleep(1.0)  # the workers are idle: none is stopped in the middle of something
        workers.pause()
        accepted = connection.execute("SELECT clock_timestamp()").fetchone()[0]
        seconds, cpu = accept(shop, count, prefix=prefix, products=spread)
        connection.execute("CHECKPOINT")
        done = _release(workers, connection, accepted, count_commits)
        return replace(done, accept_seconds=seconds, accept_cpu_seconds=cpu)


def _release(workers: Process, connection: Any, accepted: Any, count_commits: bool) -> Drain:
    counted = commits(connection) if count_commits else 0
    before = moment(connection)
    began = connection.execute("SELECT clock_timestamp()").fetchone()[0]
    workers.resume()
    looks = wait_until_ended(connection)
    after = moment(connection)
    values = {"began": began, "accepted": accepted}
    completed, parked, seconds = connection.execute(ENDED, values).fetchone()
    if parked:
        raise SystemExit(f"{parked} of the runs parked: no measurement")
    in_all = commits(connection) - counted - looks if count_commits else None
    writes = after.transactions - before.transactions
    return Drain(completed, seconds, cpu_between(before, after), writes, in_all)


def wait_until_ended(connection: Any) -> int:
    """Returns when no run is left; how often it looked."""
    deadline, looks = time.monotonic() + PATIENCE, 1
    while connection.execute(LIVE).fetchone()[0]:
        if time.monotonic() > deadline:
            raise SystemExit(f"the workers did not end in {PATIENCE:.0f} s")
        time.sleep(LOOK_EVERY)
        looks += 1
    return looks
