"""The read model: from the broker to committed rows, one consumer of the shop's own group."""

import time
from collections.abc import Sequence
from typing import Any

from bench.events import carriers, outboxes
from bench.events.carriers import Broker
from bench.events.flow import Flow
from bench.shop import Shop
from bench.work import cpu_between, moment

GROUP = "reporting"
EMPTY = """
    DO $$ DECLARE one text; BEGIN
        FOR one IN SELECT tablename FROM pg_tables
            WHERE schemaname = 'public' AND tablename LIKE 'reporting%' LOOP
            EXECUTE format('TRUNCATE %I CASCADE', one);
        END LOOP;
    END $$
"""
VIEWS = "SELECT count(*) FROM reporting_orderview WHERE order_version > 1"


def project(shop: Shop, broker: Broker) -> Flow:
    """The template's events once, all of them with the broker before the consumer is let go."""
    from dataclasses import replace

    from project.local import parts

    variables = broker.environment()
    consumer = parts.consumer()
    consumer = replace(consumer, command=[*consumer.command, GROUP])
    outboxes.settle(shop)
    with (
        carriers.started(shop, parts.relay(), consumer, variables=variables) as [_, one],
        shop.connect("orders") as orders,
        shop.connect("reporting") as reporting,
    ):
        reporting.execute(EMPTY)
        events = outboxes.templates(orders)
        there = _warmed(shop, reporting)
        one.pause()
        outboxes.fill(orders, events)
        _wait_until_published(shop)
        reporting.execute(EMPTY)
        orders.execute("CHECKPOINT")
        before = moment(orders)
        began = orders.execute("SELECT clock_timestamp()").fetchone()[0]
        one.resume()
        carriers.wait_for(shop, GROUP, there + events, "projection")
        after = moment(orders)
        seconds = carriers.seconds_until_last(reporting, GROUP, began)
        if not reporting.execute(VIEWS).fetchone()[0]:
            raise SystemExit("the read model is empty: no measurement")
    carriers.forget(shop, variables)
    return Flow(events, seconds, cpu_between(before, after))


def _warmed(shop: Shop, reporting: Any) -> int:
    """How many events the group has entered once it is known to be at work."""
    there = carriers.entered(reporting, GROUP)
    with shop.connect("orders") as orders:
        outboxes.fill(orders, 200)
    carriers.wait_for(shop, GROUP, there + 200, "warm-up of the projection")
    return there + 200


def _wait_until_published(shop: Shop) -> None:
    deadline = time.monotonic() + carriers.PATIENCE
    while outboxes.waiting(shop):
        if time.monotonic() > deadline:
            raise SystemExit("the relay does not empty the outbox")
        time.sleep(carriers.LOOK_EVERY)


def facts(flows: Sequence[Flow]) -> dict[str, Any]:
    from bench.events import flow

    return {key: value for key, value in flow.facts(flows, ()).items() if key != "delay"}
