"""A supplier and a member of staff at their prices: feeds, edits to the database and behind it, all
of them repeated until answered; and what readers are shown of it in the end."""

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from moneyed import Money

from apps.caching.write_behind import PendingUnknown, backlog
from apps.catalog import facade as catalog
from apps.catalog.contracts import ImportProduct
from apps.catalog.feed.buffer import PRODUCTS
from chaos.books import rows
from chaos.client import Answer, Client
from chaos.goods import Goods

FED, LINES = 60, 20
EVERY = 0.25  # seconds between two feeds
PATIENCE = 90.0
# What was accepted so many seconds before the durable Redis died may be lost: its file is synced
# every second, and written a second later still while the disk is busy.
LOSS_SECONDS = 2.0


@dataclass(frozen=True)
class Accepted:
    """The last accepted price of a product, in pence; when it was sent and answered by
    ``time.monotonic()``; ``waits``: it was in Redis alone then."""

    pence: int
    sent: float
    answered: float
    waits: bool

    def may_be_lost(self, deaths: Sequence[float]) -> bool:
        """Whether the durable Redis died (``deaths``) just when it had taken it."""
        return self.waits and any(
            self.sent <= death <= self.answered + LOSS_SECONDS for death in deaths
        )


@dataclass
class Edits:
    """One thread changes the prices of products that nobody buys, so that of each there is a last
    one; a product whose answer never came is not judged."""

    client: Client
    goods: Goods
    seed: int
    right: dict[str, Accepted] = field(default_factory=dict)
    done: Counter = field(default_factory=Counter)

    def start(self) -> None:
        names = [f"FED-{number}" for number in range(FED)]
        price = Money("1.00", "GBP")
        known = catalog.import_products([ImportProduct(one, one, price) for one in names])
        self._skus = {str(known[name]): name for name in names}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="edits", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Returns once the last one is answered."""
        self._stopping.set()
        self._thread.join(2 * PATIENCE)

    def _run(self) -> None:
        rng, number = random.Random(f"{self.seed} edits"), 0
        while not self._stopping.wait(EVERY):
            number += 1
            if rng.random() < 0.6:
                self._feed(rng, number)
            else:
                self._edit(rng, rng.random() < 0.5)

    def _feed(self, rng: random.Random, number: int) -> None:
        wanted = {one: rng.randint(100, 99_999) for one in rng.sample(sorted(self._skus), LINES)}
        lines = [
            orjson.dumps({"sku": self._skus[one], "price": _price(pence)})
            for one, pence in wanted.items()
        ]
        sent = time.monotonic()
        answer = self.client.send(
            "POST",
            "/api/v1/catalog/feed",
            self.goods.staff,
            b"\n".join(lines),
            form="application/x-ndjson",
            key=f"chaos-{self.seed}-feed-{number}",
            until=_patience(),
        )
        self._note(answer, sent, wanted)
        self.done["fed"] += LINES
        if answer is not None and answer.status in (200, 202) and answer.body["error"]:
            self.client.report(f"feed {number}: {answer.body}")

    def _edit(self, rng: random.Random, behind: bool) -> None:
        """Of one product; to the database with the version that it has."""
        one, pence = rng.choice(sorted(self._skus)), rng.randint(100, 99_999)
        path = f"/api/v1/products/{one}"
        body: dict[str, Any] = {"price": _price(pence)}
        sent = time.monotonic()
        until, answer = _patience(), None
        while time.monotonic() < until:
            if not behind:
                body["version"] = self._version(UUID(one))
            answer = self.client.send(
                "PATCH",
                f"{path}?mode=write-behind" if behind else path,
                self.goods.staff,
                orjson.dumps(body),
                until=until,
            )
            if answer is None or answer.status != 409:
                break
        self._note(answer, sent, {one: pence})
        self.done["edited behind" if behind else "edited"] += 1

    def _version(self, product_id: UUID) -> int:
        until = time.monotonic() + PATIENCE
        answer = self.client.get(f"/api/v1/products/{product_id}", self.goods.staff, until=until)
        return answer.body["version"] if answer is not None and answer.status == 200 else 1

    def _note(self, answer: Answer | None, sent: float, wanted: dict[str, int]) -> None:
        if answer is not None and answer.status in (200, 202):
            when = sent, time.monotonic(), answer.status == 202
            self.right |= {one: Accepted(pence, *when) for one, pence in wanted.items()}
            return
        for one in wanted:
            self.right.pop(one, None)
        self.client.report(f"prices of {len(wanted)} products were not accepted: {answer}")

    def drained(self) -> bool:
        """Whether nothing waits in Redis any more."""
        try:
            return backlog(PRODUCTS).keys == 0
        except PendingUnknown:
            return False

    def violations(self, deaths: Sequence[float]) -> list[str]:
        """Accepted prices that the database does not have, or that a visitor is not shown;
        ``deaths`` are those of the durable Redis."""
        query = "SELECT public_id::text, price FROM catalog_product WHERE sku LIKE 'FED-%'"
        found = {one: int(price * 100) for one, price in rows("catalog", query)}
        wrong = []
        for one, accepted in self.right.items():
            has, shown = found.get(one), self._shown(one)
            if shown != has:
                wrong.append(f"{one} is shown for {shown} and costs {has}")
            if has == accepted.pence:
                continue
            if accepted.may_be_lost(deaths):
                self.done["lost within the bound"] += 1
            else:
                wrong.append(f"{one} costs {has}, accepted were {accepted.pence}")
        return wrong

    def _shown(self, one: str) -> int | None:
        answer = self.client.get(f"/api/v1/products/{one}", "", until=_patience())
        if answer is None or answer.status != 200:
            return None
        return int(Decimal(answer.body["price"]["amount"]) * 100)


def _price(pence: int) -> dict[str, str]:
    return {"amount": f"{pence / 100:.2f}", "currency": "GBP"}


def _patience() -> float:
    return time.monotonic() + PATIENCE
