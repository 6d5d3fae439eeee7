"""What becomes of orders later: some are cancelled by their buyers, some are sent by staff."""

import heapq
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

from chaos.client import Client
from chaos.goods import Goods
from chaos.load import Placed

HANDS = 3
PATIENCE = 60.0  # seconds
TRIES = 40  # for an order that is not confirmed yet


@dataclass
class Staff:
    """Some threads with one list of things to do, each at its time."""

    client: Client
    goods: Goods
    seed: int
    done: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._waiting: list[tuple] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._ending = False
        self._threads = [
            threading.Thread(target=self._work, name=f"staff-{i}", daemon=True)
            for i in range(HANDS)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends what was begun and forgets the rest."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(PATIENCE + 15)

    def later(self, what: str, placed: Placed, seconds: float | None = None, tries: int = 0):
        """Does ``what`` with an order some time soon."""
        if seconds is None:
            seconds = random.Random(f"{self.seed} {what} {placed.number}").uniform(0, 4)
        with self._changed:
            entry = (time.monotonic() + seconds, next(self._numbers), what, placed, tries)
            heapq.heappush(self._waiting, entry)
            self._changed.notify()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            _, _, what, placed, tries = job
            getattr(self, f"_{what}")(placed, tries)

    def _next(self) -> tuple | None:
        with self._changed:
            while not self._ending:
                wait = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._waiting)
                self._changed.wait(wait)
            return None

    def _cancel(self, placed: Placed, tries: int) -> None:
        token = self.goods.customers[placed.customer_id]
        path, key = f"/api/v1/orders/{placed.order_id}/cancel", f"{placed.key}-cancel"
        answers = [
            self.client.post(path, token, {"reason": "changed_mind"}, key=key, until=_patience())
            for _ in range(2)
        ]
        first, again = answers
        if first is None or again is None or first.status != 202:
            self.client.report(f"cancelling {placed.key}: {first}, again {again}")
        elif (first.status, first.body) != (again.status, again.body):
            self.client.report(f"cancelling {placed.key} twice: {first.body}, then {again.body}")
        self.done["cancelled"] += 1

    def _send(self, placed: Placed, tries: int) -> None:
        """Ships what is confirmed, later on delivers every second one of them, and in the end
        takes a piece back."""
        order = self._look(placed)
        if order is None or order["status"] == "cancelled":
            return
        if order["status"] == "pending":
            if tries < TRIES:
                self.later("send", placed, 1.0, tries + 1)
            return
        move = {"confirmed": "ship", "shipped": "deliver"}.get(order["status"])
        if move is None:
            self._take_back(placed, order, tries)
            return
        answer = self.client.post(
            f"/api/v1/staff/orders/{placed.order_id}/{move}",
            self.goods.staff,
            {"version": order["version"]},
            until=_patience(),
        )
        if answer is None or answer.status not in (202, 409):
            self.client.report(f"{move} {placed.order_id}: {answer}")
        elif answer.status == 202:
            self.done[f"{move}ped" if move == "ship" else "delivered"] += 1
        if placed.number % 2 and tries < TRIES:
            self.later("send", placed, 1.0, tries + 1)

    def _take_back(self, placed: Placed, order: dict, tries: int) -> None:
        """One piece of a delivered order comes back, fit to be sold again or not."""
        line = {"position": 1, "quantity": 1, "restock": placed.number % 3 > 0}
        body = {"lines": [line], "reason": "too small", "version": order["version"]}
        path, key = f"/api/v1/staff/orders/{placed.order_id}/returns", f"{placed.key}-return"
        answers = [
            self.client.post(path, self.goods.staff, body, key=key, until=_patience())
            for _ in range(2)
        ]
        first, again = answers
        if first is not None and first.status == 409 and tries < TRIES:
            self.later("send", placed, 0.5, tries + 1)  # it moved since it was looked at
        elif first is None or first.status != 202 or again is None or first.body != again.body:
            self.client.report(f"taking back of {placed.key}: {first}, again {again}")
        else:
            self.done["taken back"] += 1

    def _look(self, placed: Placed) -> dict | None:
        path = f"/api/v1/staff/orders/{placed.order_id}"
        answer = self.client.get(path, self.goods.staff, until=_patience())
        if answer is None or answer.status != 200:
            self.client.report(f"looking at {placed.order_id}: {answer}")
            return None
        return answer.body


def _patience() -> float:
    return time.monotonic() + PATIENCE
