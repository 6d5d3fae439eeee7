"""The buyers: a steady stream of orders, each placed with a key until it is accepted."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from chaos.client import Client
from chaos.goods import Goods

BUYERS = 16
REPEATED, CANCELLED, SENT = 0.10, 0.06, 0.10  # of all orders
PATIENCE = 90.0  # seconds in which an order must be accepted


@dataclass
class Placed:
    """An accepted order: its request, so that it can be made again, and the first answer."""

    number: int
    customer_id: UUID
    key: str
    body: dict
    answer: dict[str, Any]

    @property
    def order_id(self) -> UUID:
        return UUID(self.answer["id"])


@dataclass
class Load:
    """``later`` is told of each order that is to be cancelled (``cancel``) or sent (``send``)."""

    client: Client
    goods: Goods
    seed: int
    rate: float
    later: Callable[[str, Placed], None]
    placed: list[Placed] = field(default_factory=list)
    repeats: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._lock = threading.Lock()
        self._began = time.monotonic()
        self._pool = ThreadPoolExecutor(BUYERS, thread_name_prefix="buyer")
        self._running = [self._pool.submit(self._buy, first) for first in range(BUYERS)]

    def stop(self) -> None:
        """No new orders; returns once each begun one is accepted. Raises what a buyer met."""
        self.stopping.set()
        for one in self._running:
            one.result()
        self._pool.shutdown()

    def _buy(self, number: int) -> None:
        customers = sorted(self.goods.customers)
        while not self.stopping.wait(self._began + number / self.rate - time.monotonic()):
            rng = random.Random(f"{self.seed} order {number}")
            self._place(number, rng, rng.choice(customers))
            number += BUYERS

    def _place(self, number: int, rng: random.Random, customer_id: UUID) -> None:
        body, key = self.goods.order(rng), f"chaos-{self.seed}-{number}"
        answer = self._post(customer_id, key, body)
        if answer is None:
            self.client.report(f"order {key} was not accepted within {PATIENCE:g} s")
            return
        if answer.status != 202:
            self.client.report(f"order {key}: {answer.status} {answer.body}")
            return
        placed = Placed(number, customer_id, key, body, answer.body)
        with self._lock:
            self.placed.append(placed)
        if rng.random() < REPEATED:
            self.repeat(placed)
        fate = rng.random()
        if fate < CANCELLED:
            self.later("cancel", placed)
        elif fate < CANCELLED + SENT:
            self.later("send", placed)

    def repeat(self, placed: Placed) -> None:
        """The same key with the same order: the same answer, or something is wrong."""
        again = self._post(placed.customer_id, placed.key, placed.body)
        if again is None or (again.status, again.body) != (202, placed.answer):
            self.client.report(f"{placed.key} again: {again} instead of {placed.answer}")
        with self._lock:
            self.repeats += 1

    def _post(self, customer_id: UUID, key: str, body: dict):
        return self.client.post(
            "/api/v1/orders",
            self.goods.customers[customer_id],
            body,
            key=key,
            until=time.monotonic() + PATIENCE,
        )
