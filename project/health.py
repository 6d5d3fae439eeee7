"""``GET /livez``: this process answers. ``GET /readyz``: every part it needs answers, by name.

What only carries events is named where it is missing, but orders are taken without it.

Both are answered before any other middleware, without session, database router or host check, so
a probe works by address and in the worst of times.
"""

import logging
import threading
import time
import urllib.request
from collections.abc import Callable
from http import HTTPStatus

import kombu
import psycopg
import redis
from django.conf import settings
from django.db import connections
from django.http import HttpResponse, JsonResponse

from apps.messaging.brokers import choose
from apps.messaging.consuming import signs
from apps.messaging.groups import all_groups
from project import databases, heartbeat

logger = logging.getLogger(__name__)
PART_SECONDS = 1.0  # the longest a part may take
SHARED_SECONDS = 0.5  # concurrent probes share one answer
OK = "ok"
LATER = frozenset({"events", "relay", "consumer"})  # what waits in an outbox meanwhile is not lost


class Health:
    """Answers ``/livez`` and ``/readyz``, passes everything else on. The first middleware."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.readiness = Readiness(parts())

    def __call__(self, request):
        if request.path == "/livez":
            return HttpResponse("ok\n", content_type="text/plain")
        if request.path == "/readyz":
            return self._ready()
        return self.get_response(request)

    def _ready(self) -> JsonResponse:
        found = self.readiness.look()
        good = all(state == OK for name, state in found.items() if name not in LATER)
        response = JsonResponse(
            {"status": "ready" if good else "not ready", "parts": found},
            status=HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE,
            headers={"Cache-Control": "no-store"},
        )
        response._has_been_logged = True  # Django's own mark: a probe each second is no error log
        return response


class Readiness:
    """Asks every part at the same time and waits no longer than ``seconds`` for any."""

    def __init__(self, probes: dict[str, Callable[[], None]], seconds: float = PART_SECONDS):
        self._seconds = seconds
        self._parts = [Part(name, probe) for name, probe in probes.items()]
        self._lock = threading.Lock()
        self._found: dict[str, str] = {}
        self._until = float("-inf")

    def look(self) -> dict[str, str]:
        """State by part: ``ok``, or what is wrong with it."""
        with self._lock:
            if time.monotonic() >= self._until:
                for part in self._parts:
                    part.ask()
                deadline = time.monotonic() + self._seconds
                self._found = {part.name: part.answer(deadline) for part in self._parts}
                self._until = time.monotonic() + SHARED_SECONDS
            return self._found

    def took(self) -> dict[str, float]:
        """How many seconds each part that answered needed the last time."""
        return {part.name: part.took for part in self._parts}


class Part:
    """One part and the thread that asks it; a part that hangs is not asked again meanwhile."""

    def __init__(self, name: str, probe: Callable[[], None]):
        self.name = name
        self._probe = probe
        self._thread: threading.Thread | None = None
        self._state = OK
        self.took = 0.0

    def ask(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(
                target=self._run, name=f"ready-{self.name}", daemon=True
            )
            self._thread.start()

    def answer(self, deadline: float) -> str:
        self._thread.join(max(deadline - time.monotonic(), 0))
        return "no answer in time" if self._thread.is_alive() else self._state

    def _run(self) -> None:
        began = time.monotonic()
        self._find_out()
        self.took = time.monotonic() - began

    def _find_out(self) -> None:
        try:
            self._probe()
        except NotReady as error:
            self._state = str(error)
        except Exception as error:  # noqa: BLE001 (whatever is wrong with a part, it is not ready)
            # The name only: anybody may ask, and messages tell hosts and paths.
            self._state = f"does not answer ({type(error).__name__})"
            logger.warning("%s does not answer: %s", self.name, error)
        else:
            self._state = OK


class NotReady(Exception):
    """A part answers, but not what it should."""


def parts() -> dict[str, Callable[[], None]]:
    """The probe of every part by name; a probe raises where its part is not ready."""
    names = {alias: "customers" if alias == "default" else alias for alias in databases.ALIASES}
    probes = {f"database-{name}": _database(alias) for alias, name in names.items()}
    probes["redis-durable"] = check_durable
    probes["redis-cache"] = _check_cache
    probes["gateway"] = _check_gateway
    probes["events"] = _check_events
    for name in ("worker", "beat", "relay"):
        probes[name] = _alive(name)
    probes["consumer"] = _check_consumers
    return probes


def _database(alias: str) -> Callable[[], None]:
    def check() -> None:
        # A connection of its own: a pool busy with requests is no reason to be taken out.
        params = connections[alias].get_connection_params()
        wanted = {k: v for k, v in params.items() if k in CONNECTION_WORDS}
        with psycopg.connect(**wanted, connect_timeout=2, autocommit=True) as connection:
            connection.execute("SELECT 1")

    return check


CONNECTION_WORDS = frozenset(
    {"dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"}
)


def check_durable() -> None:
    """The durable Redis answers and never evicts; raises ``NotReady`` or ``RedisError``."""
    _require_keeping(heartbeat.client(), "QUEUE_REDIS_URL")


def _require_keeping(client: redis.Redis, variable: str) -> None:
    policy = client.info("memory").get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        raise NotReady(
            f"{variable} may evict what it must keep: its maxmemory-policy is {policy},"
            " not noeviction"
        )


def _check_events() -> None:
    if settings.EVENTS_URL.startswith(choose.AMQP):
        with kombu.Connection(settings.EVENTS_URL, connect_timeout=PART_SECONDS) as connection:
            connection.connect()
    else:
        check_event_streams()


def check_event_streams() -> None:
    """As ``check_durable``, for events on Redis Streams; elsewhere there is nothing to check."""
    if settings.EVENTS_URL.startswith(choose.AMQP):
        return
    client = _redis(settings.EVENTS_URL)
    try:
        _require_keeping(client, "EVENTS_URL")
    finally:
        client.close()


def _redis(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=PART_SECONDS, socket_connect_timeout=PART_SECONDS
    )


def _check_cache() -> None:
    for url in settings.CACHE_URL.split(","):
        client = _redis(url)
        try:
            client.ping()
        finally:
            client.close()


def _check_gateway() -> None:
    url = f"{settings.GATEWAY_URL.rstrip('/')}/livez"
    with urllib.request.urlopen(url, timeout=PART_SECONDS) as answer:  # noqa: S310 (our setting)
        answer.read(100)


def _alive(part: str) -> Callable[[], None]:
    def check() -> None:
        if not heartbeat.client().exists(heartbeat.key(part)):
            raise NotReady("no sign of life")

    return check


def _check_consumers() -> None:
    alive = {sign.group for sign in signs.alive()}
    if missing := sorted({group.name for group in all_groups()} - alive):
        raise NotReady(f"no sign of life of {', '.join(missing)}")
