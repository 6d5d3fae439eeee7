"""How long each page of a large shop takes: ``python -m bench pages``.

Serves the configured databases with the web server of ``make up``, logs a manager and a customer
in and asks, one request at a time, for every list of the API and of the back office, a search in
each list, one thing of each kind, and every page of the shop as a whole. Fill the databases with
``python -m bench data`` first. Exit status 1 where a page took longer than it may.
"""

import argparse
import json
import logging
import os
import re
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import Any

import urllib3

BUDGET_MS, DASHBOARD_MS = 300.0, 500.0
DASHBOARD = "/admin/"
ROOT = "bench-root@example.com"
ROW = re.compile(r'href="(/admin/\w+/\w+/[\w-]+/change/)[?"]')


@dataclass(frozen=True)
class Timing:
    """One page, asked for ``rounds`` times; milliseconds until its last byte was here."""

    page: str
    rounds: int
    median_ms: float
    slowest_ms: float
    budget_ms: float

    @property
    def passed(self) -> bool:
        """By the slowest request: run it on a machine that has nothing else to do."""
        return self.slowest_ms <= self.budget_ms


def add_parser(benchmarks: Any) -> None:
    """Adds ``pages`` to the command line."""
    parser = benchmarks.add_parser("pages", help="every page of the configured (large) shop")
    parser.add_argument("--rounds", type=int, default=7, metavar="N", help="requests of each page")
    parser.add_argument("--only", default="", metavar="TEXT", help="pages with TEXT in their path")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measures and prints; 1 if a page was over its budget."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    with serving() as origin:
        visit = Visit(origin, arguments.rounds)
        timings = [visit.time(page) for page in visit.pages() if arguments.only in page]
    if arguments.json:
        rows = [asdict(one) | {"passed": one.passed} for one in timings]
        print(json.dumps({"pages": rows}))
    else:
        print_table(timings)
    return 0 if all(one.passed for one in timings) else 1


def print_table(timings: list[Timing]) -> None:
    """The slowest pages first."""
    from rich.console import Console
    from rich.table import Table

    table = Table("page", title="Pages of a large shop, milliseconds")
    for heading in ("median", "slowest", "budget"):
        table.add_column(heading, justify="right")
    for one in sorted(timings, key=lambda one: one.slowest_ms, reverse=True):
        numbers = (one.median_ms, one.slowest_ms, one.budget_ms)
        style = "" if one.passed else "bold red"
        table.add_row(one.page, *(f"{number:.0f}" for number in numbers), style=style)
    missed = sum(not one.passed for one in timings)
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(table)
    console.print(f"{len(timings)} pages, {missed} over budget")


@contextmanager
def serving() -> Iterator[str]:
    """The shop on a port of its own, without request limits; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    limits = ("API_ANONYMOUS_REQUESTS_PER_MINUTE", "API_USER_REQUESTS_PER_MINUTE")
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    process = subprocess.Popen(
        [*command, "--blocking-threads", "4", "project.wsgi:application"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | dict.fromkeys(limits, "0") | {"LOG_LEVEL": "ERROR"},
    )
    # Waiting for it to listen is not worth a warning.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        patience = urllib3.Retry(connect=12, backoff_factor=0.05)
        urllib3.request("GET", f"http://127.0.0.1:{port}/api/schema", retries=patience)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


class Visit:
    """A manager at the back office and the API, and a customer with orders at the API."""

    def __init__(self, origin: str, rounds: int):
        from apps.customers.models import User

        self.origin, self.rounds, self.http = origin, rounds, urllib3.PoolManager()
        root = User.objects.filter(email=ROOT).first() or User.objects.create_superuser(
            email=ROOT, name="Bench"
        )
        self.buyer = _busy_customer()
        self.root, self.customer = log_in(root), log_in(self.buyer)

    def time(self, page: str) -> Timing:
        """Asks once to warm up, then ``rounds`` times."""
        self.get(page)
        times = []
        for _ in range(self.rounds):
            begun = time.perf_counter()
            self.get(page)
            times.append((time.perf_counter() - begun) * 1000)
        budget = DASHBOARD_MS if page == DASHBOARD else BUDGET_MS
        slowest = round(max(times), 1)
        return Timing(page, self.rounds, round(statistics.median(times), 1), slowest, budget)

    def get(self, page: str) -> str:
        """The page's text; leaves the program where it does not open."""
        is_admin = page.startswith("/admin/")
        token = self.root if is_admin or "/staff/" in page or "?staff" in page else self.customer
        headers = {"Cookie": f"sessionid={token}"} if is_admin else {"X-Session-Token": token}
        path = page.replace("?staff", "")
        response = self.http.request(
            "GET", self.origin + path, headers=headers, redirect=False, retries=False
        )
        if response.status != 200:
            raise SystemExit(f"{page}: {response.status} {response.data[:300]!r}")
        return response.data.decode()

    def pages(self) -> Iterator[str]:
        """The paths of all pages."""
        yield from self.api()
        yield DASHBOARD
        yield from (
            "/admin/search/?s=ord",
            "/admin/search/?s=lantern",
            "/admin/trash/",
            "/admin/trash/?q=mug",
        )
        yield from self.lists()

    def api(self) -> Iterator[str]:
        """Every list of the API in the ways that it is asked for, and one thing of each kind."""
        product, category, orders = (
            json.loads(self.get(f"/api/v1/{path}"))["results"]
            for path in ("products", "categories", "orders")
        )
        product_id, category_id, order = product[0]["id"], category[0]["id"], orders[0]
        yield from ("/api/v1/me", "/api/v1/me/addresses", "/api/v1/categories", "/api/schema")
        yield "/api/v1/orders"
        yield "/api/v1/orders?status=delivered"
        yield f"/api/v1/orders/{order['id']}"
        yield f"/api/v1/sagas/{order['saga_id']}"
        yield "/api/v1/products"
        for query in (
            "search=lantern",
            "search=lantern+wood",
            "search=GEN-777",
            "search=of",
            "search=zzzzz",
            "ordering=-price",
            "ordering=-created_at",
            "min_price=10&max_price=20&currency=GBP",
            "in_stock=true",
            "in_stock=false",
            "category=shelf-1",
            "attributes.material=wood",
            "fields=id,name",
        ):
            yield f"/api/v1/products?{query}"
        yield "/api/v1/catalog/search?q=blue+lantern"
        yield "/api/v1/catalog/search?q=blue+lantren"
        yield "/api/v1/catalog/suggestions?q=blue+lan"
        yield f"/api/v1/products/{product_id}"
        for more in ("prices", "stock", "stock-ledger"):
            yield f"/api/v1/products/{product_id}/{more}?staff"
        yield f"/api/v1/categories/{category_id}"
        yield "/api/v1/staff/orders"
        for query in (
            "status=confirmed",
            "status=cancelled",
            "review=held",
            "payment_status=authorized",
            f"customer_id={self.buyer.public_id}",
            "external_reference=gen:777",
            "placed_before=2000-01-01T00:00:00Z",
        ):
            yield f"/api/v1/staff/orders?{query}"
        yield f"/api/v1/staff/orders/{order['id']}"

    def lists(self) -> Iterator[str]:
        """Each list of the back office, its later pages, filters, a search, and its first row."""
        from django.contrib import admin

        for model, page in admin.site._registry.items():
            path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            yield path
            html = self.get(path)
            if "?p=2" in html:
                yield f"{path}?p=2"
            if page.search_fields:
                yield f"{path}?q=lantern"
            if row := ROW.search(html):
                yield row[1]


def log_in(user: Any) -> str:
    """The key of a new session of ``user``."""
    from django.conf import settings
    from django.contrib.auth import login
    from django.test import RequestFactory

    request = RequestFactory().get("/")
    request.session = import_module(settings.SESSION_ENGINE).SessionStore()
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session.save()
    return request.session.session_key


def _busy_customer() -> Any:
    """The customer with the most orders."""
    from django.db.models import Count

    from apps.customers.models import User
    from apps.orders.models import Order

    counts = Order.objects.values("customer_id").annotate(orders=Count("id")).order_by("-orders")
    known = {one["customer_id"] for one in counts[:50]}
    return User.objects.filter(public_id__in=known).order_by("pk")[0]
