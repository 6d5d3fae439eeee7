"""The peers' drainings: DBOS direct and queued, a Celery chain, on copies of the shop's tables."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.jobs import run_jobs
from bench.replay import ROOT
from bench.sagas.figures import Drain
from bench.sagas.peers.orders import accept
from bench.shop import Process, Shop
from bench.work import commits, cpu_between, moment

PACKAGES = ROOT / "var" / "bench-packages"
DBOS, CHAIN = "bench.sagas.peers.dbos_checkout", "bench.sagas.peers.chain_drive"
QUEUE_THREADS, CHAIN_PROCESSES, REDIS_DATABASE = 16, 2, 15


def install() -> None:
    """Installs ``bench/requirements.txt`` beside (not into) the shop's own packages, once."""
    pins, stamp = (ROOT / "bench" / "requirements.txt").read_text(), PACKAGES / "installed"
    if stamp.exists() and stamp.read_text() == pins + sys.version:
        return
    print("Installing bench/requirements.txt …", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
    command += ["--disable-pip-version-check", "--target", str(PACKAGES)]
    done = subprocess.run([*command, "-r", "bench/requirements.txt"], cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit("pip could not install bench/requirements.txt")
    stamp.write_text(pins + sys.version)


def environment(shop: Shop, pool: int) -> dict[str, str]:
    """What the peers' processes are told; ``pool`` is the connections each has per database."""
    socket = shop.places.redis_durable
    return dict(os.environ) | {
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(PACKAGES))),
        "BENCH_ORDERS": shop.conninfo("peers_orders"),
        "BENCH_CATALOG": shop.conninfo("peers_catalog"),
        "BENCH_DBOS": shop.conninfo("peers_dbos"),
        "BENCH_POOL": str(pool),
        "BENCH_BROKER": f"redis+socket://{socket}?virtual_host={REDIS_DATABASE}",
        "BENCH_REDIS": f"unix://{socket}?db={REDIS_DATABASE}",
    }


def dbos_job(shop: Shop, mode: str, threads: int, count: int, **more: Any) -> dict:
    """A job for DBOS: ``count`` accepted orders, and some to warm up."""
    orders, keys = shop.conninfo("peers_orders"), shop.product_keys
    return {
        "mode": mode,
        "threads": threads,
        "orders": accept(orders, count, keys),
        "warm_up": accept(orders, threads * 4, keys),
        "system_database_url": "postgresql+psycopg://holdfast@/peers_dbos"
        f"?host={shop.places.postgres_sockets}&port=5432",
        **more,
    }


def drain_dbos(
    shop: Shop,
    mode: str,
    threads: int,
    count: int,
    *,
    processes: int = 1,
    count_commits: bool = False,
) -> Drain:
    """``count`` sagas by DBOS, called in ``threads`` threads or taken from its queue by as many,
    in each of ``processes``."""
    jobs = [dbos_job(shop, mode, threads, count // processes) for _ in range(processes)]
    setting = f"{threads} thread{'s' if threads > 1 else ''}"
    setting = f"{processes} processes of {setting}" if processes > 1 else setting
    variables = environment(shop, threads)
    return _measure(shop, DBOS, jobs, variables, setting, count_commits=count_commits)


def drain_chain(shop: Shop, count: int, *, acks_late: bool, count_commits: bool = False) -> Drain:
    """``count`` chains, all sent while the workers are stopped."""
    setting = "acks late" if acks_late else "acks early"
    with chain_workers(shop, acks_late=acks_late) as workers:
        orders = accept(shop.conninfo("peers_orders"), count, shop.product_keys)
        # As many as the workers' pools are warmed by, then the real ones behind a stopped worker.
        warm_up = {"orders": orders[: min(100, count // 4 or 1)]}
        run_jobs(CHAIN, [warm_up], environment(shop, 1))
        workers.pause()
        jobs = [{"orders": orders[len(warm_up["orders"]) :]}]
        variables = environment(shop, 1)
        return _measure(
            shop, CHAIN, jobs, variables, setting, workers=workers, count_commits=count_commits
        )


@contextmanager
def chain_workers(shop: Shop, *, acks_late: bool) -> Iterator[Process]:
    """As many worker processes as Holdfast has."""
    from project.local.supervisor import Service

    command = [sys.executable, "-m", "celery", "-A", "bench.sagas.peers.chain", "worker"]
    command += ["--pool", "prefork", "--concurrency", str(CHAIN_PROCESSES), "--loglevel", "ERROR"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    variables = environment(shop, 1) | {"BENCH_LATE": "1" if acks_late else ""}
    stop = ((signal.SIGTERM, 20), (signal.SIGQUIT, 3))
    process = shop.start(Service("chain", command, stop=stop, environment=variables))
    try:
        yield process
    finally:
        process.stop()


def _measure(
    shop: Shop,
    module: str,
    jobs: list[dict],
    variables: dict[str, str],
    setting: str,
    *,
    workers: Process | None = None,
    count_commits: bool,
) -> Drain:
    moments, counted = [], []
    with shop.connect("postgres") as connection:

        def begin() -> None:
            connection.execute("CHECKPOINT")
            counted.append(commits(connection) if count_commits else 0)
            moments.append(moment(connection))
            if workers:
                workers.resume()

        def end() -> None:
            moments.append(moment(connection))

        answers = run_jobs(module, jobs, variables, begin, end)
        in_all = commits(connection) - counted[0] if count_commits else None
    before, after = moments
    return Drain(
        runs=sum(one["done"] for one in answers),
        seconds=max(one["ended"] for one in answers) - min(one["began"] for one in answers),
        cpu=cpu_between(before, after),
        commits=in_all,
        write_commits=after.transactions - before.transactions,
        setting=setting,
        accept_seconds=answers[0].get("accept_seconds"),
        accept_cpu_seconds=answers[0].get("accept_cpu_seconds"),
    )
