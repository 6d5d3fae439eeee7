"""Which fault comes when: a function of seed and length, so that a run can be had again."""

import math
import random
from collections.abc import Collection
from dataclasses import dataclass

FULL = 5.0  # minutes that the numbers below are about

# How many of each kind a run of five minutes injects. Each must be met three times at least.
COUNTS = {
    "worker_child": 9,
    "worker_parent": 4,
    "worker_stopped": 5,
    "web_worker": 6,
    "web_parent": 4,
    "gateway": 5,
    "beat": 4,
    "second_beat": 4,
    "failpoint": 18,
    "backends": 8,
    "postgres": 4,
    "redis": 4,
    "cache": 4,
    "cache_flushed": 5,
    "cache_stopped": 4,
    "nudge_flood": 5,
    "nudges_dropped": 5,
    "link_cut_before": 6,
    "link_cut_after": 6,
    "link_half_open": 5,
    "link_slow": 5,
    "gateway_errors": 5,
    "customers_away": 3,
    "relay": 4,
    "relay_stopped": 4,
    "consumer_child": 6,
    "consumer_parent": 4,
    "consumer_stopped": 5,
    "mailer": 4,
    "events_broker": 4,
    "connections_closed": 4,
    "group_lost": 5,
    "duplicates": 5,
    "reorderings": 5,
    "poison": 5,
}
LEAST_OF_A_KIND, LEAST_FAULTS, LEAST_ORDERS = 3, 150, 2_500
ALONE = "customers_away"  # nothing else happens meanwhile: it is watched who still works
BEFORE_ALONE, AFTER_ALONE = 7.0, 13.0  # seconds kept free around it
FIRST, LAST = 4.0, 8.0  # seconds free of faults at the beginning and at the end


@dataclass(frozen=True, slots=True)
class Planned:
    """A fault to come: seconds after the start, and what its own choices are made from."""

    at: float
    kind: str
    seed: int


def plan(seed: int, minutes: float, only: Collection[str] = ()) -> list[Planned]:
    """The faults of a run, in their order."""
    rng = random.Random(f"plan {seed}")
    kinds = [kind for kind in COUNTS if not only or kind in only]
    seconds = minutes * 60
    times: list[tuple[float, str]] = []
    alone = _times_alone(rng, seconds) if ALONE in kinds else []
    times += [(at, ALONE) for at in alone]
    free = _free(seconds, alone)
    for kind in kinds:
        if kind != ALONE:
            # Spread out: what was killed is up again before its next turn.
            count = _count(kind, minutes)
            times += [(_at(free, (i + rng.random()) / count), kind) for i in range(count)]
    return [Planned(round(at, 2), kind, rng.getrandbits(32)) for at, kind in sorted(times)]


def least(minutes: float) -> tuple[int, int, int]:
    """Orders, faults and faults of each kind without which a run proves nothing."""
    share = minutes / FULL
    of_a_kind = LEAST_OF_A_KIND if share >= 1 else max(1, math.floor(LEAST_OF_A_KIND * share))
    return math.floor(LEAST_ORDERS * share), math.floor(LEAST_FAULTS * share), of_a_kind


def _count(kind: str, minutes: float) -> int:
    return max(1, round(COUNTS[kind] * minutes / FULL))


def _times_alone(rng: random.Random, seconds: float) -> list[float]:
    count = _count(ALONE, seconds / 60)
    slot = (seconds - FIRST - LAST) / count
    room = max(slot - BEFORE_ALONE - AFTER_ALONE, 0.0)
    return [FIRST + slot * i + BEFORE_ALONE + rng.random() * room for i in range(count)]


def _free(seconds: float, alone: list[float]) -> list[tuple[float, float]]:
    """The stretches of time in which faults may begin."""
    free, begin = [], FIRST
    for at in alone:
        free.append((begin, max(at - BEFORE_ALONE, begin)))
        begin = at + AFTER_ALONE
    free.append((begin, max(seconds - LAST, begin)))
    return free


def _at(free: list[tuple[float, float]], share: float) -> float:
    """The moment at ``share`` (0 to 1) of all the free time."""
    left = share * sum(end - begin for begin, end in free)
    for begin, end in free:
        if left <= end - begin:
            return begin + left
        left -= end - begin
    return free[-1][1]
