"""Web servers to be measured: the shop's own, with other settings, and the peers'."""

import os
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psutil

from bench.sagas.rivals import PACKAGES
from bench.shop import READY_SECONDS, ROOT, Shop

HOST, DATABASE, PEERS = "127.0.0.1", "peers_reads", "bench.reads.peers"
REDIS_DATABASES = {"drf_redis": 11, "cacheops": 12}


@dataclass(frozen=True, slots=True)
class Server:
    origin: str
    process: psutil.Process


@contextmanager
def ours(shop: Shop, path: str, name: str = "reads", **variables: str) -> Iterator[Server]:
    """The shop's web server once it answers ``path``, with other ``variables``."""
    with _serving(shop, name, "project.wsgi:application", variables, path) as server:
        yield server


@contextmanager
def peer(shop: Shop, path: str, name: str) -> Iterator[Server]:
    """``drf_redis`` or ``cacheops`` on a copy of the catalogue, served as the shop is."""
    variables = {
        "DJANGO_SETTINGS_MODULE": f"{PEERS}.settings",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(PACKAGES))),
        "READS_PEER": name,
        "READS_DATABASE": DATABASE,
        "READS_SOCKETS": str(shop.places.postgres_sockets),
        "READS_REDIS": f"unix://{shop.places.redis_cache}?db={REDIS_DATABASES[name]}",
    }
    with _serving(shop, name, f"{PEERS}.wsgi:application", variables, path) as server:
        yield server


def copy_catalogue(shop: Shop) -> None:
    """Makes the peers' database of the shop's, as it is now."""
    with shop.connect("postgres") as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'catalog'"
        )
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE catalog")


@contextmanager
def _serving(
    shop: Shop, name: str, application: str, variables: Mapping[str, str], path: str
) -> Iterator[Server]:
    """Granian as ``make up`` starts it: two processes of eight threads, on a port of its own."""
    from project import env
    from project.local import parts

    port, service = _free_port(), parts.web()
    words = [str(port) if one == str(env.PORT) else one for one in service.command]
    words[-1] = application
    environment = dict(service.environment) | variables
    process = shop.start(replace(service, name=name, command=words, environment=environment))
    origin = f"http://{HOST}:{port}"
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(f"{origin}{path}"):
            if time.monotonic() > deadline or process.popen.poll() is not None:
                raise SystemExit(f"{name} does not start: see {shop.places.logs}")
            time.sleep(0.1)
        yield Server(origin, psutil.Process(process.popen.pid))
    finally:
        process.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except (OSError, urllib.error.URLError):
        return False
