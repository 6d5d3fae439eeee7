"""Feeds sent to a shop, and the wait until the database has them."""

import itertools
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import orjson

from bench.feed import figures
from bench.work import cpu_between, moment

CLIENTS = 2  # as many as web processes
WAIT_SECONDS = 120
IMPORTED_AT_ONCE = 5_000


@dataclass
class Bench:
    """``products`` stand in the shop; each round changes each of them once."""

    shop: Any
    products: int
    lines: int
    rounds: int
    progress: Any
    skus: list[str] = field(default_factory=list)
    cents: Any = field(default_factory=lambda: itertools.count(1_000))
    keys: Any = field(default_factory=itertools.count)

    def measure(self) -> dict[str, Any]:
        from bench.reads.compare import staff_token

        self._fill()
        accepted, flushed, together = [], [], []
        with self.shop.web() as origin, self.shop.workers() as workers:
            sender = Sender(origin, staff_token(origin))
            with self.shop.connect("catalog") as self._connection:
                self._round(sender)  # warm
                self._settle()
                for _ in range(self.rounds):
                    workers.pause()
                    accepted.append(self._timed("accepted", lambda: self._round(sender)))
                    workers.resume()
                    flushed.append(self._timed("flushed", self._settle))
                    together.append(self._timed("together", lambda: self._both(sender)))
                lost = self._lost()
        found = {"accepted": accepted, "flushed": flushed, "together": together}
        return {
            "products": self.products,
            "lines": self.lines,
            "clients": CLIENTS,
            **{name: figures.summary(self.products, one) for name, one in found.items()},
            "lost": lost,
        }

    def _timed(self, name: str, work: Any) -> dict[str, Any]:
        before, began = moment(self._connection), time.monotonic()
        work()
        seconds = time.monotonic() - began
        self.progress.say(f"{name}: {self.products / seconds:,.0f}/s")
        return {"seconds": seconds, "cpu": cpu_between(before, moment(self._connection))}

    def _fill(self) -> None:
        from moneyed import Money

        from apps.catalog import facade
        from apps.catalog.contracts import ImportProduct

        self.skus = [f"FEED-{number:06}" for number in range(self.products)]
        price = Money("1.00", "GBP")
        for start in range(0, self.products, IMPORTED_AT_ONCE):
            some = self.skus[start : start + IMPORTED_AT_ONCE]
            facade.import_products([ImportProduct(one, one, price) for one in some])
        self.progress.say(f"{self.products:,} products")

    def _round(self, sender: "Sender") -> None:
        """A new price for each product, in requests of ``lines``, by ``CLIENTS`` connections."""
        self.cent = next(self.cents)
        price = {"amount": f"{self.cent / 100:.2f}", "currency": "GBP"}
        bodies = [
            b"\n".join(
                [
                    orjson.dumps({"sku": sku, "price": price})
                    for sku in self.skus[start : start + self.lines]
                ]
            )
            for start in range(0, self.products, self.lines)
        ]
        with ThreadPoolExecutor(CLIENTS) as pool:
            for answer in pool.map(sender.send, bodies, [next(self.keys) for _ in bodies]):
                if answer["error"]:
                    raise SystemExit(f"{answer['error']} lines were refused")

    def _settle(self) -> None:
        """Until nothing waits any more."""
        from apps.caching.write_behind import PendingUnknown, backlog
        from apps.catalog.feed.buffer import PRODUCTS

        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            try:
                if not backlog(PRODUCTS).keys:
                    return
            except PendingUnknown:  # a reader does not wait for a Redis that is busy
                pass
            time.sleep(0.005)
        raise SystemExit("the feed is not flushed")

    def _both(self, sender: "Sender") -> None:
        self._round(sender)
        self._settle()

    def _lost(self) -> int:
        query = "SELECT count(*) FROM catalog_product WHERE sku LIKE 'FEED-%%' AND price <> %s"
        return self._connection.execute(query, [Decimal(self.cent) / 100]).fetchone()[0]


class Sender:
    """Sends requests as a member of staff, each on a connection of its own."""

    def __init__(self, origin: str, token: str):
        address = urlsplit(origin)
        self._where = address.hostname, address.port
        self._headers = {"X-Session-Token": token, "Content-Type": "application/x-ndjson"}

    def send(self, body: bytes, key: int) -> dict[str, Any]:
        connection = HTTPConnection(*self._where, timeout=60)
        headers = self._headers | {"Idempotency-Key": f"bench-feed-{key}"}
        connection.request("POST", "/api/v1/catalog/feed", body, headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        if response.status != 202:
            raise SystemExit(f"the shop answered {response.status}: {answer[:500]!r}")
        return orjson.loads(answer)
