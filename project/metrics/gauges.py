"""How far behind everything is, found out when somebody asks.

Each source is asked in a thread of its own and given a second; one that does not answer is named
by ``holdfast_source_up`` and its figures are left out.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from django.db import connections, transaction
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from apps.caching import write_behind
from apps.catalog import selectors as catalog
from apps.catalog.engagement import counting as engagement
from apps.common.databases import execute
from apps.messaging import figures
from apps.messaging.brokers import choose
from apps.messaging.consuming import signs
from apps.messaging.groups import all_groups
from apps.messaging.relay import queue
from apps.notifications import selectors as notifications
from apps.reporting import facade as reporting
from apps.sagas import selectors as sagas
from project import databases
from project.health import OK, Readiness

Sample = tuple[str, dict[str, str], float]
TEXTS = {
    "holdfast_source_up": "Whether the source of the figures answered.",
    "holdfast_outbox_waiting": "Events that were not published yet.",
    "holdfast_outbox_oldest_seconds": "Age of the oldest event that was not published yet.",
    "holdfast_outbox_refused": "Events that the broker refused and that wait for another attempt.",
    "holdfast_relay_lease_held": "Whether a relay empties the outbox.",
    "holdfast_dead_letters": "Dead letters that wait for a person.",
    "holdfast_sagas": "Runs that have not ended, and parked ones (failed).",
    "holdfast_mails_waiting": "Mails to customers that were not sent yet.",
    "holdfast_mails_oldest_seconds": "Age of the oldest mail that was not sent yet.",
    "holdfast_mails_failed": "Mails of the last day that could not be sent.",
    "holdfast_read_model_behind": "Events that the read model has yet to apply.",
    "holdfast_read_model_oldest_seconds": "Age of the oldest of them, at most.",
    "holdfast_read_model_heartbeat_seconds": "Seconds since the last heartbeat to arrive was sent.",
    "holdfast_read_model_applied": "Events that the read model has applied.",
    "holdfast_sales_waiting": "Sales that are not among the best-sellers yet.",
    "holdfast_group_waiting": "Messages not yet delivered to the consumer group.",
    "holdfast_group_pending": "Messages delivered to the group and not acknowledged.",
    "holdfast_group_consumers": "Consumers of the group that the broker knows.",
    "holdfast_group_sign_seconds": "Seconds since a consumer of the group gave a sign of life.",
    "holdfast_group_messages": "Messages by what became of them, of the consumers now alive.",
    "holdfast_cart_holds": "Carts that hold stock now.",
    "holdfast_cart_hold_pieces": "Pieces that carts hold now.",
    "holdfast_cart_hold_overdue_seconds": "For how long the oldest hold should have ended.",
    "holdfast_unroutable": "Messages that no group wanted and the broker kept aside.",
    "holdfast_write_behind_pending": "Things of which edits wait for the database.",
    "holdfast_write_behind_oldest_seconds": "Age of the oldest edit that waits.",
    "holdfast_write_behind_dead_letters": "Edits that the database refused.",
    "holdfast_write_behind_loss_bound_seconds": "The most that a crash of Redis takes of them.",
}
STATEMENT_MS = 900


class Gauges(Collector):
    """For a ``CollectorRegistry``: asks all sources at once and yields what they said."""

    def __init__(self, sources: dict[str, Callable[[], Iterable[Sample]]] | None = None):
        self._samples: dict[str, list[Sample]] = {}
        self._readiness = Readiness(
            {
                name: partial(self._ask, name, source)
                for name, source in (sources or all_sources()).items()
            }
        )

    def _ask(self, name: str, source: Callable[[], Iterable[Sample]]) -> None:
        self._samples[name] = list(source())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
        for name, state in self._readiness.look().items():
            found["holdfast_source_up"].append(({"source": name}, float(state == OK)))
            if state == OK:
                for metric, labels, value in self._samples.get(name, ()):
                    found[metric].append((labels, value))
        for metric, values in found.items():
            family = GaugeMetricFamily(metric, TEXTS[metric], labels=list(values[0][0]))
            for labels, value in values:
                family.add_metric(list(labels.values()), value)
            yield family


def all_sources() -> dict[str, Callable[[], Iterable[Sample]]]:
    """By the name of the part that answers for them."""
    sources: dict[str, Callable[[], Iterable[Sample]]] = {
        f"messaging-{_name(alias)}": partial(_messaging, alias) for alias in databases.ALIASES
    }
    return sources | {
        "sagas": _sagas,
        "mails": _mails,
        "read-model": _read_model,
        "events": _groups,
        "consumers": _consumers,
        "write-behind": _write_behind,
        "carts": _carts,
        "sales": _sales,
    }


def _name(alias: str) -> str:
    return "customers" if alias == databases.CUSTOMERS else alias


@contextmanager
def _quickly(alias: str) -> Iterator[None]:
    """The thread that asks is a new one each time: its connection ends with it."""
    try:
        with transaction.atomic(using=alias):
            execute(alias, f"SET LOCAL statement_timeout = {STATEMENT_MS}")
            yield
    finally:
        connections[alias].close()


def _messaging(alias: str) -> Iterator[Sample]:
    with _quickly(alias):
        behind, held = queue.backlog(alias), figures.lease_held(alias)
        letters = figures.dead_letters(alias)
    where = {"database": _name(alias)}
    yield "holdfast_outbox_waiting", where, behind.waiting
    yield "holdfast_outbox_oldest_seconds", where, behind.age
    yield "holdfast_outbox_refused", where, behind.refused
    yield "holdfast_relay_lease_held", where, float(held)
    for consumer, reason, count in letters:
        yield "holdfast_dead_letters", where | {"consumer": consumer, "reason": reason}, count


def _sagas() -> Iterator[Sample]:
    with _quickly(databases.ORDERS):
        counts = sagas.unfinished()
    for kind, status, count in counts:
        yield "holdfast_sagas", {"kind": kind, "status": status}, count


def _carts() -> Iterator[Sample]:
    with _quickly(databases.CATALOG):
        carts, pieces, overdue = catalog.holds_count()
    yield "holdfast_cart_holds", {}, carts
    yield "holdfast_cart_hold_pieces", {}, pieces
    yield "holdfast_cart_hold_overdue_seconds", {}, overdue


def _mails() -> Iterator[Sample]:
    with _quickly(databases.CUSTOMERS):
        behind = notifications.backlog()
    yield "holdfast_mails_waiting", {}, behind.waiting
    yield "holdfast_mails_oldest_seconds", {}, behind.age
    yield "holdfast_mails_failed", {}, behind.failed


def _sales() -> Iterator[Sample]:
    with _quickly(databases.CATALOG):
        waiting = engagement.notes_waiting()
    yield "holdfast_sales_waiting", {}, waiting


def _read_model() -> Iterator[Sample]:
    try:
        lag = reporting.lag()
    finally:
        connections.close_all()
    for name, value in (
        ("behind", lag.behind),
        ("oldest_seconds", lag.oldest_seconds),
        ("heartbeat_seconds", lag.heartbeat_seconds),
    ):
        if value is not None:
            yield f"holdfast_read_model_{name}", {}, value
    yield "holdfast_read_model_applied", {}, lag.applied


def _groups() -> Iterator[Sample]:
    broker = choose.broker()
    try:
        for group in all_groups():
            state, whose = broker.state(group.name), {"group": group.name}
            yield "holdfast_group_waiting", whose, state.waiting
            yield "holdfast_group_pending", whose, state.pending
            yield "holdfast_group_consumers", whose, state.consumers
        yield "holdfast_unroutable", {}, broker.unroutable()
    finally:
        broker.close()


def _consumers() -> Iterator[Sample]:
    ages: dict[str, float] = {}
    counts: dict[tuple[str, str], Any] = defaultdict(int)
    for sign in signs.alive():
        ages[sign.group] = min(sign.age, ages.get(sign.group, sign.age))
        for verdict, count in sign.counts.items():
            counts[sign.group, verdict] += count
    for group, age in ages.items():
        yield "holdfast_group_sign_seconds", {"group": group}, age
    for (group, verdict), count in counts.items():
        yield "holdfast_group_messages", {"group": group, "verdict": verdict}, count


def _write_behind() -> Iterator[Sample]:
    for buffer in write_behind.all_buffers():
        whose, behind = {"buffer": buffer.name}, write_behind.backlog(buffer)
        yield "holdfast_write_behind_pending", whose, behind.keys
        yield "holdfast_write_behind_oldest_seconds", whose, behind.oldest
        yield "holdfast_write_behind_dead_letters", whose, behind.dead
    bound = write_behind.loss_seconds()
    if bound is not None:
        yield "holdfast_write_behind_loss_bound_seconds", {}, bound
