"""The changes themselves, in turns: each round of one way is followed by one of the other."""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from bench.writes import figures

WARM_UP = 50
PRINCIPAL = "staff:bench"
Change = Callable[[int, Decimal], None]  # of the product of that number


@dataclass
class Bench:
    """``shop`` is an open one; nothing flushes while the changes are measured."""

    shop: Any
    changes: int
    rounds: int
    progress: Any
    prices: dict[int, Decimal] = field(default_factory=dict)  # the last of each product
    cents: Any = field(default_factory=lambda: itertools.count(100))

    def at_the_facade(self) -> dict[str, Any]:
        """Through the services that the API and the feed call."""
        from moneyed import Money

        from apps.catalog import facade, services
        from apps.catalog.contracts import EditProduct

        ids = [UUID(str(one)) for one in self.shop.products]
        versions = dict.fromkeys(range(len(ids)), 1)
        with self.shop.connect("catalog") as connection:
            query = "SELECT public_id, id FROM catalog_product"
            pks = dict(connection.execute(query).fetchall())

        def behind(number: int, price: Decimal) -> None:
            values = {"price": Money(price, "GBP"), "attributes": {}}
            facade.edit_product(EditProduct(PRINCIPAL, ids[number], **values))

        def direct(number: int, price: Decimal) -> None:
            services.product_change(
                product_pk=pks[ids[number]],
                version=versions[number],
                changes={"price": Money(price, "GBP")},
            )
            versions[number] += 1

        return self._in_turns("at the facade", behind, direct)

    def over_http(self) -> dict[str, Any]:
        """By PATCH, on one connection that stays open."""
        from bench.reads.compare import staff_token

        with self.shop.web() as origin:
            client = Client(origin, staff_token(origin), self.shop.products)
            return self._in_turns("over HTTP", client.behind, client.direct)

    def settled(self) -> dict[str, int]:
        """Has all that waits written; how many products have another price than their last."""
        from apps.caching.write_behind import flush_now
        from apps.catalog.feed.buffer import PRODUCTS

        while flush_now(PRODUCTS):
            pass
        with self.shop.connect("catalog") as connection:
            query = "SELECT public_id, price FROM catalog_product"
            found = {str(one): price for one, price in connection.execute(query).fetchall()}
        wrong = [
            number
            for number, price in self.prices.items()
            if found[str(self.shop.products[number])] != price
        ]
        return {"products": len(self.prices), "lost": len(wrong)}

    def _in_turns(self, where: str, behind: Change, direct: Change) -> dict[str, Any]:
        """Half of the products are changed in one way, half in the other: whoever changes a product
        directly writes what waits of it first, and that is not what is measured."""
        ways = dict(zip(figures.WAYS, (behind, direct), strict=True))
        half = len(self.shop.products) // 2
        numbers = {
            name: itertools.cycle(range(n * half, (n + 1) * half)) for n, name in enumerate(ways)
        }
        for name, change in ways.items():
            self._changes(change, numbers[name], WARM_UP)
        taken: dict[str, list[list[float]]] = {name: [] for name in ways}
        for turn in range(self.rounds):
            for name in list(ways) if turn % 2 else reversed(ways):
                taken[name].append(self._changes(ways[name], numbers[name], self.changes))
                rate = 1000 * self.changes / sum(taken[name][-1])
                self.progress.say(f"{where}, {name}: {rate:,.0f} changes/s")
        return {name: figures.summary(rounds) for name, rounds in taken.items()}

    def _changes(self, change: Change, numbers: Any, count: int) -> list[float]:
        """Milliseconds of each."""
        taken = []
        for _ in range(count):
            number, price = next(numbers), Decimal(next(self.cents)) / 100
            began = time.perf_counter()
            change(number, price)
            taken.append(1000 * (time.perf_counter() - began))
            self.prices[number] = price
        return taken


class Client:
    """One that changes products over HTTP and remembers their versions."""

    def __init__(self, origin: str, token: str, products: Any):
        address = urlsplit(origin)
        self._connection = HTTPConnection(address.hostname, address.port, timeout=20)
        self._headers = {"X-Session-Token": token, "Content-Type": "application/json"}
        self._paths = [f"/api/v1/products/{one}" for one in products]
        self._versions: dict[int, int] = {}

    def behind(self, number: int, price: Decimal) -> None:
        self._send(f"{self._paths[number]}?mode=write-behind", _body(price), 202)

    def direct(self, number: int, price: Decimal) -> None:
        version = self._versions.get(number) or self._version(number)
        body = _body(price) | {"version": version}
        self._versions[number] = self._send(self._paths[number], body, 200)["version"]

    def _version(self, number: int) -> int:
        self._connection.request("GET", self._paths[number], headers=self._headers)
        return json.load(self._connection.getresponse())["version"]

    def _send(self, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
        self._connection.request("PATCH", path, json.dumps(body), self._headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != status:
            raise SystemExit(f"the shop answered {response.status}: {answer[:500]!r}")
        return json.loads(answer)


def _body(price: Decimal) -> dict[str, Any]:
    return {"price": {"amount": str(price), "currency": "GBP"}}
