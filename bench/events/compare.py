"""Rounds in which every setting takes its turn, beginning with another each time."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from bench.events import celery_way, projection
from bench.events.carriers import Broker
from bench.events.flow import Flow, delay, facts, flow
from bench.sagas.screen import Progress
from bench.shop import Shop

CONSUMERS = (1, 2)
THEIR_PART = 10  # of our events is enough for the slower


def flows(
    shop: Shop, brokers: Sequence[Broker], events: int, rounds: int, progress: Progress
) -> dict[str, Any]:
    """Each broker with each number of consumers, and the Celery way."""
    turns = {
        f"{broker.name}_{consumers}": partial(flow, shop, broker, consumers, events)
        for broker in brokers
        for consumers in CONSUMERS
    }
    turns["celery_task"] = partial(celery_way.flow, shop, max(events // THEIR_PART, 100))
    found: dict[str, list[Flow]] = {name: [] for name in turns}
    names = list(turns)
    for number in range(rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            done = turns[name]()
            found[name].append(done)
            _tell(progress, f"round {number + 1} of {rounds}, {name}", done)
    report = {name: facts(done, ()) for name, done in found.items()}
    for broker in brokers:
        for consumers in CONSUMERS:
            name = f"{broker.name}_{consumers}"
            report[name] = facts(found[name], delay(shop, broker, consumers))
            progress.say(f"{name}: delay {report[name]['delay']}")
    return report


def projections(
    shop: Shop, brokers: Sequence[Broker], rounds: int, progress: Progress
) -> dict[str, Any]:
    """The read model from each broker, in turns."""
    found: dict[str, list[Flow]] = {broker.name: [] for broker in brokers}
    for number in range(rounds):
        for broker in brokers[:: 1 if number % 2 == 0 else -1]:
            done = projection.project(shop, broker)
            found[broker.name].append(done)
            _tell(progress, f"projection from {broker.name}", done)
    return {name: projection.facts(flows) for name, flows in found.items()}


def _tell(progress: Progress, what: str, done: Flow) -> None:
    cpu = {kind: round(one / done.events * 1e6) for kind, one in done.cpu.items() if one > 0}
    progress.say(
        f"{what}: {done.events:,} in {done.seconds:.1f} s = {done.per_second:,.0f}/s,"
        f" µs of processor each: {cpu}"
    )
