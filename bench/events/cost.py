"""What events cost the orders: appending them, and carrying them on the same machine."""

import statistics
import time
from typing import Any

from bench.events import carriers, outboxes
from bench.events.carriers import REDIS
from bench.figures import latencies, percentile
from bench.sagas.draining import drain
from bench.sagas.latency import of_holdfast
from bench.sagas.screen import Progress
from bench.shop import Shop

ORDERS = 100  # of which the latency is taken in each round


def measure_append(shop: Shop, rounds: int, progress: Progress) -> dict[str, Any]:
    """The latency of single orders with and without appending, in turns; nothing is relayed."""
    found: dict[str, list[list[float]]] = {"appended": [], "muted": []}
    for number in range(rounds):
        turns = list(found)[:: 1 if number % 2 == 0 else -1]
        for name in turns:
            outboxes.settle(shop)
            taken = _latencies(shop, f"{name}-{number}", muted=name == "muted")
            found[name].append(taken)
            progress.say(f"{name}: median {percentile(taken, 50):.2f} ms")
    appended, muted = (
        statistics.median(percentile(taken, 50) for taken in found[name])
        for name in ("appended", "muted")
    )
    return {
        "appended": latencies([one for taken in found["appended"] for one in taken]),
        "muted": latencies([one for taken in found["muted"] for one in taken]),
        "added": round(appended / muted - 1, 4),
    }


def _latencies(shop: Shop, prefix: str, *, muted: bool) -> list[float]:
    if not muted:
        with shop.workers():
            return of_holdfast(shop, ORDERS, "account", prefix)
    from bench.events import muted as control

    with (
        shop.workers(app="bench.events.muted", variables={"BENCH_MUTED": "1"}),
        control.muted(),
    ):
        return of_holdfast(shop, ORDERS, "account", prefix)


def measure_relay(shop: Shop, orders: int, rounds: int, progress: Progress) -> dict[str, Any]:
    """Orders drained with nobody carrying their events, and with relay and consumers of
    ``make up`` beside the workers, in turns."""
    rates: dict[str, list[float]] = {"nobody": [], "carried": []}
    left, caught_up = [], []
    for number in range(rounds):
        for name in list(rates)[:: 1 if number % 2 == 0 else -1]:
            outboxes.settle(shop)
            prefix = f"{name}-{number}"
            if name == "nobody":
                done = drain(shop, orders, prefix=prefix)
            else:
                done, waiting, seconds = _carried(shop, orders, prefix)
                left.append(waiting)
                caught_up.append(seconds)
            progress.drained(f"orders, events carried by {name}", done)
            rates[name].append(done.per_second)
    nobody, carried = (statistics.median(rates[name]) for name in ("nobody", "carried"))
    return {
        "orders_per_second_without": round(nobody, 1),
        "orders_per_second_with": round(carried, 1),
        "costs": round(1 - carried / nobody, 4),
        "events_left_in_outboxes": int(statistics.median(left)),
        "seconds_to_catch_up": round(statistics.median(caught_up), 2),
    }


def _carried(shop: Shop, orders: int, prefix: str) -> tuple[Any, int, float]:
    from project.local import parts

    variables = REDIS.environment()
    with carriers.started(shop, parts.relay(), parts.consumer(), variables=variables):
        done = drain(shop, orders, prefix=prefix)
        waiting, began = outboxes.waiting(shop), time.monotonic()
        while outboxes.waiting(shop):
            if time.monotonic() > began + carriers.PATIENCE:
                raise SystemExit("the relay does not catch up")
            time.sleep(carriers.LOOK_EVERY)
        seconds = time.monotonic() - began
    carriers.forget(shop, variables)
    return done, waiting, seconds
