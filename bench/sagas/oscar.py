"""The peer over HTTP: django-oscar on a database of its own in the same PostgreSQL, served by the
same web server with as many processes and threads as Holdfast's."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bench.jobs import run_jobs
from bench.replay import ROOT
from bench.sagas import rivals
from bench.shop import PRODUCTS, READY_SECONDS, Shop
from bench.work import cpu_between, moment

HOST, DATABASE, PACKAGE = "127.0.0.1", "peers_oscar", "bench.sagas.peers.oscar_shop"
PLACED = "SELECT count(*) FROM order_order"


@contextmanager
def running(shop: Shop, clients: int) -> Iterator[dict[str, Any]]:
    """A filled shop of oscar's that answers; yields what its clients need to know."""
    with shop.connect("postgres") as connection:
        connection.execute(f"CREATE DATABASE {DATABASE}")
    variables = environment(shop)
    command = [sys.executable, "-m", f"{PACKAGE}.fill", str(PRODUCTS), str(clients)]
    filled = subprocess.run(command, env=variables, cwd=ROOT, capture_output=True, text=True)
    if filled.returncode:
        raise SystemExit(f"oscar's shop could not be filled:\n{filled.stderr[-2000:]}")
    known = json.loads(filled.stdout.splitlines()[-1])
    with _web(shop, variables) as port:
        yield {
            "host": HOST,
            "port": port,
            "tokens": known["sessions"],
            "products": known["products"],
        }


def environment(shop: Shop) -> dict[str, str]:
    return rivals.environment(shop, 1) | {
        "BENCH_SOCKETS": str(shop.places.postgres_sockets),
        "DJANGO_SETTINGS_MODULE": f"{PACKAGE}.settings",
    }


@contextmanager
def _web(shop: Shop, variables: dict[str, str]) -> Iterator[int]:
    """Granian as ``make up`` starts it, for the peer's application; yields its port."""
    from project import env
    from project.local import parts

    port, service = _free_port(), parts.web()
    words = [str(port) if one == str(env.PORT) else one for one in service.command]
    words[-1] = f"{PACKAGE}.wsgi:application"
    process = shop.start(replace(service, name="oscar", command=words, environment=variables))
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(port):
            if time.monotonic() > deadline or process.popen.poll() is not None:
                raise SystemExit(f"oscar's web server does not start: see {shop.places.logs}")
            time.sleep(0.1)
        yield port
    finally:
        process.stop()


def take_orders(shop: Shop, job: dict[str, Any]) -> dict[str, Any]:
    """One round; the clients' answer, with the seconds of processor time spent as ``cpu_seconds``.
    Ends where not every order is in the database afterwards."""
    with shop.connect(DATABASE) as connection:
        connection.execute("CHECKPOINT")
        placed, before = connection.execute(PLACED).fetchone()[0], moment(connection)
        [answer] = run_jobs(f"{PACKAGE}.clients", [job], environment(shop))
        answer["cpu_seconds"] = sum(cpu_between(before, moment(connection)).values())
        placed = connection.execute(PLACED).fetchone()[0] - placed
    wanted = job["count"] + len(job["tokens"])  # each orders once before the clock starts
    if set(answer["statuses"]) != {"200"} or placed != wanted:
        raise SystemExit(f"oscar answered {answer['statuses']} and took {placed} of {wanted}")
    return answer


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _answers(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
