"""From outbox to inbox: how many events a second, and how late under a load that is none."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bench.events import carriers, outboxes
from bench.events.carriers import Broker
from bench.figures import latencies
from bench.shop import Process, Shop
from bench.work import cpu_between, moment

WARM_UP = 500
PER_SECOND, DELAY_SECONDS = 200, 10
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Flow:
    """``events`` entered in the inbox in ``seconds``; ``cpu``: seconds of processor by kind."""

    events: int
    seconds: float
    cpu: dict[str, float]

    @property
    def per_second(self) -> float:
        return self.events / self.seconds


@contextmanager
def carried(shop: Shop, broker: Broker, consumers: int, delays: Path | None = None) -> Iterator:
    """Relay and consumers, warm and idle: the relay's process and the group's name."""
    group, variables = f"bench-{next(_numbers)}", broker.environment()
    own = variables | {"BENCH_GROUP": group}
    if delays:
        own["BENCH_DELAYS"] = str(delays)
    outboxes.settle(shop)
    services = [
        carriers.alone("relay", "relay"),
        carriers.alone("consumer", "consume", group, "--consumers", str(consumers)),
    ]
    with carriers.started(shop, *services, variables=own) as [relay, _]:
        with shop.connect("orders") as connection:
            outboxes.fill(connection, WARM_UP)
        carriers.wait_for(shop, group, WARM_UP, "warm-up")
        yield relay, group
    carriers.forget(shop, variables)


def flow(shop: Shop, broker: Broker, consumers: int, events: int) -> Flow:
    """``events`` stand in the outbox; the relay is let go."""
    with carried(shop, broker, consumers) as (relay, group):
        return _released(shop, relay, group, WARM_UP, events)


def _released(shop: Shop, relay: Process, group: str, there: int, events: int) -> Flow:
    relay.pause()
    with shop.connect("orders") as connection, shop.connect("reporting") as reporting:
        outboxes.fill(connection, events)
        connection.execute("CHECKPOINT")
        before = moment(connection)
        began = connection.execute("SELECT clock_timestamp()").fetchone()[0]
        relay.resume()
        carriers.wait_for(shop, group, there + events, "flow")
        after = moment(connection)
        seconds = carriers.seconds_until_last(reporting, group, began)
    return Flow(events, seconds, cpu_between(before, after))


def delay(shop: Shop, broker: Broker, consumers: int) -> list[float]:
    """Milliseconds from each event's insert to the commit of its inbox row, one event in a
    transaction, ``PER_SECOND`` of them."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "delays"
        with carried(shop, broker, consumers, path) as (_, group):
            path.write_text("")
            events = PER_SECOND * DELAY_SECONDS
            _write_at_leisure(shop, events)
            carriers.wait_for(shop, group, WARM_UP + events, "delays")
        return [float(line) for line in path.read_text().splitlines()]


def _write_at_leisure(shop: Shop, events: int) -> None:
    one = outboxes.FILL.replace("ORDER BY round, id LIMIT", "WHERE id = %s LIMIT")
    with shop.connect("orders") as connection:
        ids = [row[0] for row in connection.execute("SELECT id FROM bench_event LIMIT 1000")]
        connection.execute("CREATE INDEX IF NOT EXISTS bench_event_id ON bench_event (id)")
        begun = time.perf_counter()
        for number in range(events):
            time.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
            connection.execute(one, [None, 1, ids[number % len(ids)], 1])


def facts(flows: Sequence[Flow], delays: Sequence[float]) -> dict[str, Any]:
    """One setting's figures: medians over its rounds."""
    middle = sorted(flows, key=lambda one: one.per_second)[len(flows) // 2]
    return {
        "events_per_second": round(middle.per_second),
        "rounds": [round(one.per_second) for one in flows],
        "cpu_us_per_event": {
            kind: round(seconds / middle.events * 1e6, 1) for kind, seconds in middle.cpu.items()
        },
        "delay": latencies(delays) if delays else None,
    }
