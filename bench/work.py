"""How much work was done between two moments: processor time, commits."""

import os
import time
from collections import Counter
from dataclasses import dataclass

import psutil
import psycopg

COMMITS = "SELECT sum(xact_commit)::bigint FROM pg_stat_database WHERE datname IS NOT NULL"
TRANSACTIONS = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
# A backend tells its counts at most once a second, an idle one's last ones ten seconds late.
COUNTED_LATE = 10.5
KINDS = {"postgres": "postgres", "redis": "redis", "beam": "rabbitmq"}  # by the program's name


@dataclass(frozen=True, slots=True)
class Moment:
    """Counters that only grow."""

    cpu: dict[str, float]
    transactions: int


def cpu_seconds() -> dict[str, float]:
    """Processor time of everything below this process so far, by kind; ours is left out."""
    found: Counter[str] = Counter(python=0.0, postgres=0.0, redis=0.0)
    for process in psutil.Process().children(recursive=True):
        try:
            times, name = process.cpu_times(), process.name()
        except psutil.NoSuchProcess:
            continue
        kind = next((one for word, one in KINDS.items() if word in name), "python")
        # With what it has reaped: a backend that ended is the postmaster's.
        found[kind] += times.user + times.system + times.children_user + times.children_system
    reaped = os.times()
    found["python"] += reaped.children_user + reaped.children_system
    return dict(found)


def moment(connection: psycopg.Connection) -> Moment:
    """The counters now. ``transactions`` grows by one with each that writes, in any database."""
    return Moment(cpu_seconds(), connection.execute(TRANSACTIONS).fetchone()[0])


def commits(connection: psycopg.Connection) -> int:
    """The commits PostgreSQL has counted so far, reads included; waits until it knows them."""
    time.sleep(COUNTED_LATE)
    return connection.execute(COMMITS).fetchone()[0]


def cpu_between(before: Moment, after: Moment) -> dict[str, float]:
    """Seconds by kind."""
    return {kind: max(cpu - before.cpu.get(kind, 0.0), 0.0) for kind, cpu in after.cpu.items()}
