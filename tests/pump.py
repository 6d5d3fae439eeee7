"""Carries events from the outboxes to consumer groups inside this process, in any order.

As the relay and the consumers do, without a broker in between: what a broker may do – repeat,
overtake, hold back – is for the test to choose.
"""

import random
from collections.abc import Sequence

from apps.common.databases import execute, fetch_all
from apps.messaging.consuming.delivering import Verdict, deliver
from apps.messaging.groups import ConsumerGroup, all_groups
from apps.messaging.relay.queue import ENVELOPE
from apps.sagas.engine import choreography
from apps.sagas.engine.driver import drive_batch

ALIASES = ("orders", "catalog")
DONE = (Verdict.APPLIED, Verdict.DUPLICATE, Verdict.NOT_MEANT)


def checkout_groups() -> list[ConsumerGroup]:
    """The participants of a choreographed checkout."""
    return [group for group in all_groups() if group.name.endswith(".checkout")]


def _waiting() -> list[tuple[str, int, bytes]]:
    """All events that wait in the outboxes, oldest first of each: database, id, body."""
    return [
        (alias, number, body.encode())
        for alias in ALIASES
        for number, body in fetch_all(
            alias,
            f"SELECT id, {ENVELOPE} FROM messaging_outbox WHERE published_at IS NULL ORDER BY id",
        )
    ]


def _mark(waiting: Sequence[tuple[str, int, bytes]]) -> None:
    for alias in ALIASES:
        execute(
            alias,
            "UPDATE messaging_outbox SET published_at = clock_timestamp() WHERE id = ANY(%s)",
            [[number for at, number, _ in waiting if at == alias]],
        )


def take_out() -> list[bytes]:
    """The events that wait in the outboxes; they count as published."""
    waiting = _waiting()
    _mark(waiting)
    return [body for *_, body in waiting]


def carry(bodies: Sequence[bytes]) -> None:
    """Delivers ``bodies`` to the groups; each takes what is meant for it."""
    for group in checkout_groups():
        assert set(deliver(group, bodies)) <= set(DONE), group.name


def settle() -> None:
    """Carries events and drives runs that are due until neither is left."""
    while True:
        waiting = _waiting()
        carry([body for *_, body in waiting])
        _mark(waiting)  # afterwards: who dies in between repeats them
        if not waiting and not drive_batch() and not choreography.look_after():
            return


def settle_badly(rng: random.Random) -> None:
    """The same with a bad broker: what is carried is repeated, held back and shuffled, each group
    gets it in its own order and in pieces."""
    seen: list[bytes] = []
    waiting: dict[str, list[bytes]] = {group.name: [] for group in checkout_groups()}
    while True:
        bodies = take_out()
        seen += bodies
        for group in checkout_groups():
            queue = waiting[group.name]
            queue += bodies + rng.sample(seen, min(len(seen), rng.randrange(3)))
            rng.shuffle(queue)
            count = rng.randint(0, len(queue))
            assert set(deliver(group, queue[:count])) <= set(DONE), group.name
            del queue[:count]
        busy = bool(drive_batch()) | bool(choreography.look_after())
        if not bodies and not busy and not any(waiting.values()):
            return
        if not bodies and not busy:  # nothing new: whatever is still held back arrives
            for group in checkout_groups():
                deliver(group, waiting[group.name])
                waiting[group.name].clear()
