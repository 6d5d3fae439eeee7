"""The faults: each breaks one thing from outside and says what it did.

A fault returns ``None`` where there was nothing to break just then; it is tried again a little
later. Whatever lasts is put right before it returns.
"""

import random
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import redis
from django.conf import settings

from apps.common.failpoint_names import NAMES
from apps.sagas.nudge import TASK
from chaos import event_faults
from chaos.processes import Processes
from chaos.proxies import Link, Mode
from project import env
from project.celery import app
from project.local import parts
from project.local.parents import signal_at_our_death

Fault = Callable[["Broken", random.Random], str | None]
QUEUE = settings.CELERY_TASK_DEFAULT_QUEUE
# What a shop under this load passes often enough to be waited for …
OFTEN = ("saga.claim", "saga.begin", "saga.checkpoint", "saga.execute", "gateway", "order.place")
OFTEN += ("payments.before", "payments.after", "catalog.reserve", "catalog.release")
OFTEN += ("relay.", "consume.apply", "consume.before_ack")
# … and what some of its orders pass.
SELDOM = ("order.cancel", "order.ship", "order.deliver", "order.return")
SELDOM += ("catalog.dispatch", "catalog.return", "feed.", "write_behind.")
POINTS = tuple(name for name in NAMES if name.startswith(OFTEN + SELDOM))


@dataclass
class Broken:
    """What faults work on."""

    processes: Processes
    link: Link
    customers_away: Callable[[float], str]
    poison: event_faults.Poison = field(default_factory=event_faults.Poison)

    def database(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(env.PLACES.postgres_sockets), user="holdfast", dbname="postgres",
            connect_timeout=2, autocommit=True, application_name="chaos",
        )  # fmt: skip


# --- processes -----------------------------------------------------------------------------------
def _kill_leader(name: str) -> Fault:
    def fault(broken: Broken, rng: random.Random) -> str | None:
        pid = broken.processes.kill(broken.processes.leader(name))
        return pid and f"kill -9 {pid}"

    return fault


def _kill_child(name: str) -> Fault:
    def fault(broken: Broken, rng: random.Random) -> str | None:
        children = broken.processes.children(name)
        pid = broken.processes.kill(rng.choice(children)) if children else None
        return pid and f"kill -9 {pid}"

    return fault


def worker_stopped(broken: Broken, rng: random.Random) -> str | None:
    """Sleeps past its lease, wakes up and believes that nothing happened."""
    children = broken.processes.children("worker")
    if not children:
        return None
    child = rng.choice(children)
    pid = broken.processes.send(child, signal.SIGSTOP)
    if pid is None:
        return None
    seconds = settings.SAGA_LEASE_SECONDS + rng.uniform(0.5, 2.0)
    try:
        time.sleep(seconds)
    finally:
        woken = broken.processes.send(child, signal.SIGCONT)
    return f"stopped {pid} for {seconds:.1f} s" if woken else None


def second_beat(broken: Broken, rng: random.Random) -> str | None:
    """Two of them send what one should; the second one ends by kill -9."""
    service = parts.beat()
    with open(env.PLACES.logs / "beat-2.log", "ab") as log:
        beat = subprocess.Popen(
            service.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            preexec_fn=signal_at_our_death(signal.SIGKILL),
        )  # fmt: skip
    try:
        time.sleep(rng.uniform(5, 8))
        return f"{beat.pid} beside the first" if beat.poll() is None else None
    finally:
        beat.kill()
        beat.wait()


def failpoint(broken: Broken, rng: random.Random) -> str | None:
    """The next process that passes a point dies there; one that nobody passes is not counted."""
    file = Path(settings.FAILPOINT_FILE)
    if file.exists():
        return None
    name = rng.choice(POINTS)
    nth = 1 if name.startswith(SELDOM) else rng.randint(1, 4)
    draft = file.with_suffix(".draft")
    draft.write_text(f"{name}:{nth}:kill\n")
    draft.rename(file)
    until = time.monotonic() + 6
    while time.monotonic() < until:
        if not file.exists():
            return f"{name}:{nth}"
        time.sleep(0.02)
    with suppress(FileNotFoundError):
        file.unlink()
        return None
    return f"{name}:{nth}"


# --- databases and Redis -------------------------------------------------------------------------
def backends(broken: Broken, rng: random.Random) -> str | None:
    """pg_terminate_backend: what a failover or an administrator does to connections."""
    with broken.database() as connection:
        found = connection.execute(
            "SELECT pid, datname FROM pg_stat_activity WHERE backend_type = 'client backend'"
            " AND pid <> pg_backend_pid() AND application_name NOT LIKE 'chaos%%' ORDER BY pid"
        ).fetchall()
        chosen = rng.sample(found, min(len(found), rng.randint(1, 6)))
        ended = [
            database
            for pid, database in chosen
            if connection.execute("SELECT pg_terminate_backend(%s)", [pid]).fetchone()[0]
        ]
    return f"terminated {', '.join(ended)}" if ended else None


def customers_away(broken: Broken, rng: random.Random) -> str | None:
    """The customers database refuses connections for a while; orders go on without it."""
    if not broken.processes.children("worker"):
        return None  # one that was killed before is still starting: nobody could go on
    seconds = 10.0
    with broken.database() as connection:
        try:
            connection.execute("ALTER DATABASE customers ALLOW_CONNECTIONS false")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'customers'"
            )
            return broken.customers_away(seconds)
        finally:
            connection.execute("ALTER DATABASE customers ALLOW_CONNECTIONS true")


def nudge_flood(broken: Broken, rng: random.Random) -> str | None:
    """Hundreds of wake-ups for nothing, some of them at once."""
    count = rng.randint(200, 500)
    for _ in range(count):
        app.send_task(TASK, retry=False, ignore_result=True)
    return f"{count} nudges"


def nudges_dropped(broken: Broken, rng: random.Random) -> str | None:
    """The queue loses every message that arrives for some seconds."""
    queue = redis.Redis.from_url(settings.QUEUE_REDIS_URL, socket_timeout=2)
    seconds, dropped = rng.uniform(2, 4), 0
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        waiting, _ = queue.pipeline().llen(QUEUE).delete(QUEUE).execute()
        dropped += waiting
        time.sleep(0.005)
    return f"{dropped} messages in {seconds:.1f} s"


def cache_flushed(broken: Broken, rng: random.Random) -> str | None:
    """Everything that is only cached is gone at once."""
    cache = redis.Redis.from_url(settings.CACHE_URL, socket_timeout=2)
    keys = cache.dbsize()
    cache.flushall()
    return f"{keys} keys" if keys else None


def cache_stopped(broken: Broken, rng: random.Random) -> str | None:
    """The cache takes requests and answers none for some seconds."""
    leader = broken.processes.leader("cache")
    pid = leader and broken.processes.send(leader, signal.SIGSTOP)
    if pid is None:
        return None
    seconds = rng.uniform(1.0, 4.0)
    try:
        time.sleep(seconds)
    finally:
        woken = broken.processes.send(leader, signal.SIGCONT)
    return f"stopped {pid} for {seconds:.1f} s" if woken else None


# --- the link to the gateway ---------------------------------------------------------------------
def _link(mode: Mode) -> Fault:
    def fault(broken: Broken, rng: random.Random) -> str | None:
        link, seconds = broken.link, rng.uniform(1.0, 3.0)
        with link.taken:
            return strike(link, seconds)

    def strike(link: Link, seconds: float) -> str | None:
        struck, until = link.struck, time.monotonic() + seconds
        link.mode = mode
        try:
            # Without a request that met it there was no fault.
            while time.monotonic() < until or link.struck == struck:
                if time.monotonic() > until + 5:
                    return None
                time.sleep(0.02)
        finally:
            link.mode = Mode.PASS
        return f"{link.struck - struck} requests in {seconds:.1f} s"

    return fault


FAULTS: dict[str, Fault] = {
    "worker_child": _kill_child("worker"),
    "worker_parent": _kill_leader("worker"),
    "worker_stopped": worker_stopped,
    "web_worker": _kill_child("web"),
    "web_parent": _kill_leader("web"),
    "gateway": _kill_leader("gateway"),
    "beat": _kill_leader("beat"),
    "second_beat": second_beat,
    "failpoint": failpoint,
    "backends": backends,
    "postgres": _kill_leader("postgres"),
    "redis": _kill_leader("redis"),
    "cache": _kill_leader("cache"),
    "cache_flushed": cache_flushed,
    "cache_stopped": cache_stopped,
    "nudge_flood": nudge_flood,
    "nudges_dropped": nudges_dropped,
    "link_cut_before": _link(Mode.CUT_BEFORE),
    "link_cut_after": _link(Mode.CUT_AFTER),
    "link_half_open": _link(Mode.HALF_OPEN),
    "link_slow": _link(Mode.SLOW),
    "gateway_errors": _link(Mode.ERRORS),
    "customers_away": customers_away,
    "relay": _kill_leader("relay"),
    "relay_stopped": event_faults.relay_stopped,
    "consumer_child": _kill_child("consumer"),
    "consumer_parent": _kill_leader("consumer"),
    "consumer_stopped": event_faults.consumer_stopped,
    "mailer": _kill_leader("mailer"),
    "events_broker": event_faults.events_broker,
    "connections_closed": event_faults.connections_closed,
    "group_lost": event_faults.group_lost,
    "duplicates": event_faults.duplicates,
    "reorderings": event_faults.reorderings,
    "poison": event_faults.poison,
}
