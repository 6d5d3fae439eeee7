"""A shop of its own in a temporary ``HOLDFAST_VAR``: servers, gateway, workers, as ``make up``."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from bench.replay import ROOT, environment

# A benchmark is no abuse, and its log no news.
UNLIMITED = {
    "API_ANONYMOUS_REQUESTS_PER_MINUTE": "0",
    "API_USER_REQUESTS_PER_MINUTE": "0",
    "LOG_LEVEL": "ERROR",
}
PRODUCTS, CUSTOMERS, STOCK = 1_000, 8, 100_000_000
READY_SECONDS = 60


@dataclass
class Process:
    """A process that the shop runs, started with the command and environment of ``make up``."""

    popen: subprocess.Popen
    stop_signals: Sequence[tuple[int, float]]

    def pause(self) -> None:
        """Stops it and its children in their tracks."""
        os.killpg(self.popen.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.killpg(self.popen.pid, signal.SIGCONT)

    def stop(self) -> None:
        self.resume()
        for number, seconds in self.stop_signals:
            self.popen.send_signal(number)
            try:
                self.popen.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                continue
        os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


@dataclass
class Shop:
    """The running shop. Amounts, addresses and so on are the same in every order."""

    places: Any
    environment: dict[str, str]
    products: list[Any] = field(default_factory=list)  # public ids
    product_keys: list[int] = field(default_factory=list)
    customers: list[Any] = field(default_factory=list)

    def conninfo(self, database: str) -> str:
        """libpq's words for a database of the embedded server."""
        return f"host={self.places.postgres_sockets} port=5432 user=holdfast dbname={database}"

    def connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(self.conninfo(database), autocommit=True)

    def start(self, service: Any) -> Process:
        """Starts a service of ``project.local.parts``."""
        from project.local.parents import signal_at_our_death

        own = {"HOLDFAST_PROCESS": service.name} | dict(service.environment)
        self.places.logs.mkdir(parents=True, exist_ok=True)
        with open(self.places.logs / f"{service.name}.log", "ab") as output:
            popen = subprocess.Popen(
                service.command,
                env=self.environment | own,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=signal_at_our_death(service.stop[0][0]),
            )
        return Process(popen, service.stop)

    @contextmanager
    def workers(
        self,
        children: int | None = None,
        *,
        variables: Mapping[str, str] | None = None,
        app: str = "project",
    ) -> Iterator[Process]:
        """The workers of ``make up``, ready; with ``children`` processes if that is said, with
        ``variables`` in their environment, or as another ``app``."""
        from project.local import parts

        service = parts.worker()
        words = list(service.command)
        words[words.index("-A") + 1] = app
        if children:
            words[words.index("--concurrency") + 1] = str(children)
        own = dict(service.environment) | dict(variables or {})
        service = replace(service, command=words, environment=own)
        worker = self.start(service)
        try:
            _wait_for_workers(worker)
            yield worker
        finally:
            worker.stop()

    @contextmanager
    def web(self) -> Iterator[str]:
        """The web server of ``make up``; yields its address."""
        from project import env
        from project.local import parts, up

        web = self.start(parts.web())
        try:
            deadline = time.monotonic() + READY_SECONDS
            while "web" in up.missing_parts():
                if time.monotonic() > deadline or web.popen.poll() is not None:
                    raise SystemExit(f"the web server does not start: see {self.places.logs}")
                time.sleep(0.1)
            yield f"http://127.0.0.1:{env.PORT}"
        finally:
            web.stop()


def _wait_for_workers(worker: Process) -> None:
    from project.celery import app

    deadline = time.monotonic() + READY_SECONDS
    while not app.control.ping(timeout=0.3):
        if time.monotonic() > deadline or worker.popen.poll() is not None:
            raise SystemExit("the workers do not start")


@contextmanager
def open_shop() -> Iterator[Shop]:
    """An empty shop with products and customers, gateway and beat running, no workers yet.

    Changes this process's environment: it belongs to that shop from now on.
    """
    (ROOT / "var").mkdir(exist_ok=True)
    var = Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / "var"))
    if os.geteuid() == 0:
        var.chmod(0o711)  # PostgreSQL's account has to pass through
    os.environ.update(environment(var) | UNLIMITED)
    for name in [one for one in os.environ if one.endswith("_URL")]:
        del os.environ[name]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

    from project import env
    from project.local import parts, session
    from project.local.servers import Servers

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with session.supervised() as supervisor:
            signal.signal(signal.SIGINT, handlers[signal.SIGINT])
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
            Servers(env.PLACES).start(supervisor)
            shop = Shop(env.PLACES, dict(supervisor.environment))
            _manage(shop, "prepare_shop")
            _fill(shop)
            supervisor.start(parts.gateway(), parts.beat())
            yield shop
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        sockets = env.PLACES.sockets
        shutil.rmtree(var, ignore_errors=True)
        if not sockets.is_relative_to(var):
            shutil.rmtree(sockets, ignore_errors=True)


def _manage(shop: Shop, *words: str) -> None:
    command = [sys.executable, "manage.py", *words]
    subprocess.run(command, env=shop.environment, cwd=ROOT, stdout=sys.stderr, check=True)


def audit(shop: Shop) -> dict[str, Any]:
    """What ``manage.py audit`` finds."""
    command = [sys.executable, "manage.py", "audit", "--json"]
    done = subprocess.run(
        command, env=shop.environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    return json.loads(done.stdout)


def _fill(shop: Shop) -> None:
    """Products with plenty of stock and customers who may buy on account; then the peers' copy."""
    import django

    django.setup()
    from django.db import connections
    from moneyed import Money

    from apps.catalog import facade as catalog
    from apps.catalog.contracts import ImportProduct, ReceiveStock
    from apps.customers import facade as customers
    from apps.customers.contracts import RegisterCustomer
    from apps.customers.models import User

    skus = [f"BENCH-{number}" for number in range(PRODUCTS)]
    ids = catalog.import_products([ImportProduct(one, one, Money("20.00", "GBP")) for one in skus])
    shop.products = [ids[one] for one in skus]
    catalog.receive_stock([ReceiveStock("bench", one, STOCK) for one in shop.products])
    emails = [f"bench-{number}@example.com" for number in range(CUSTOMERS)]
    found = customers.register_customers([RegisterCustomer(one, "Bench") for one in emails])
    shop.customers = [found[one] for one in emails]
    User.objects.filter(email__in=emails).update(buys_on_account=True)
    connections.close_all()  # a database that is copied has no guests
    with shop.connect("catalog") as connection:
        query = "SELECT id FROM catalog_product WHERE public_id = ANY(%s) ORDER BY id"
        shop.product_keys = [row[0] for row in connection.execute(query, [shop.products])]
    with shop.connect("postgres") as connection:
        for name in ("orders", "catalog"):
            connection.execute(f"CREATE DATABASE peers_{name} TEMPLATE {name}")
        connection.execute("CREATE DATABASE peers_dbos")
