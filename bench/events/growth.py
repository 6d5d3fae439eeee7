"""Whether what was published long ago slows what is published now."""

import statistics
from typing import Any

from bench.events import outboxes
from bench.events.carriers import REDIS
from bench.events.flow import Flow, flow
from bench.sagas.screen import Progress
from bench.shop import Shop

CHUNK = 200_000


def flows(shop: Shop, name: str, events: int, rounds: int, progress: Progress) -> list[Flow]:
    """Some flows over Redis with one consumer, on what there is."""
    found = []
    for _ in range(rounds):
        found.append(flow(shop, REDIS, 1, events))
        progress.say(f"{name} outbox: {found[-1].per_second:,.0f} events/s")
    return found


def grow(shop: Shop, published: int, progress: Progress) -> None:
    """Fills the outbox of ``orders`` until so many published events stand in it."""
    with shop.connect("orders") as connection:
        query = "SELECT count(*) FROM messaging_outbox WHERE published_at IS NOT NULL"
        there = connection.execute(query).fetchone()[0]
        while there < published:
            outboxes.fill(connection, min(CHUNK, published - there), published=True)
            there = connection.execute(query).fetchone()[0]
            progress.say(f"{there:,} published events in the outbox")
        connection.execute("VACUUM (ANALYZE) messaging_outbox")  # as autovacuum does in a while


def facts(empty: list[Flow], full: list[Flow], published: int) -> dict[str, Any]:
    before, after = (statistics.median(one.per_second for one in flows) for flows in (empty, full))
    return {
        "published": published,
        "empty_per_second": round(before),
        "full_per_second": round(after),
        "ratio": round(after / before, 3),
    }
