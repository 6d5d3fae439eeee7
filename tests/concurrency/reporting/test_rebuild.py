"""The read model is made anew while its consumers go on."""

import threading
from collections.abc import Sequence

import pytest
from django.db import connections

from apps.common.contracts import encode
from apps.common.databases import execute, fetch_all
from apps.common.ids import new_id
from apps.common.progress import Silent
from apps.eventlog.archiving import GROUP as ARCHIVE
from apps.messaging.consuming.delivering import Verdict, deliver
from apps.messaging.contracts import Received
from apps.reporting.consumers import REPORTING
from apps.reporting.enums import DATABASE
from apps.reporting.models import OrderView, ProjectionRebuild
from apps.reporting.rebuilding import replaying, shadow
from apps.reporting.rebuilding.replaying import RebuildStuck, projection_rebuild
from tests.integration.reporting.told import AnOrder, category, customer, product, tables

pytestmark = pytest.mark.django_db(transaction=True, databases=[DATABASE])
ANN, MUG, KITCHEN = (new_id() for _ in range(3))
NAMES = ("event_id", "topic", "aggregate", "aggregate_version", "schema_version", "occurred_at")


@pytest.fixture(autouse=True)
def _no_shadow():
    """No test takes up what another one left."""
    shadow.drop()


def body(event: Received) -> bytes:
    """The event as it is carried."""
    envelope = {name: getattr(event, name) for name in NAMES}
    return encode(envelope | {"payload": event.payload, "headers": {}})


def names() -> list[Received]:
    return [customer(ANN, "Ann"), category(KITCHEN, "Kitchen"), product(MUG, "Mug", KITCHEN)]


def lives(count: int) -> list[Received]:
    """The events of ``count`` orders, some of which are cancelled or come back."""
    events = []
    for number in range(count):
        order = AnOrder(ANN, [(MUG, "4.20", 1 + number % 3)], country=("GB", "FR")[number % 2])
        if number % 3 == 0:
            events += [order.placed(), order.confirmed(), order.cancelled()]
        else:
            events += [*order.life(), order.returned("1.00")]
    return events


def carry(events: Sequence[Received]) -> None:
    """To the log and to the read model, by the consumers' own path."""
    bodies = [body(event) for event in events]
    for group in (ARCHIVE, REPORTING):
        assert set(deliver(group, bodies)) == {Verdict.APPLIED}, group.name


def rebuild(**more):
    return projection_rebuild(progress=Silent(), **more)


def shapes() -> list[tuple]:
    """Every index and constraint of the tables."""
    return fetch_all(
        DATABASE,
        "SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'"
        " AND tablename = ANY(%s) UNION ALL "
        "SELECT conrelid::regclass::text, conname || pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid::regclass::text = ANY(%s) AND contype <> 'n' ORDER BY 1, 2",
        [list(shadow.TABLES)] * 2,
    )


def test_a_rebuild_gives_the_same_tables_with_the_same_names():
    carry([*names(), *lives(20)])
    before, shape = tables(), shapes()
    outcome = rebuild(batch=25)

    assert (outcome.differences, outcome.swapped, outcome.resumed) == ((), True, False)
    assert (tables(), shapes()) == (before, shape)
    assert ProjectionRebuild.objects.get().state == "swapped"
    carry(lives(3))  # the new tables are written as the old ones were
    assert rebuild().differences == ()


def test_a_rebuild_is_identical_while_orders_flow():
    """Two consumers go on from before the replay until after the swap."""
    carry([*names(), *lives(15)])
    stop, told, errors = threading.Event(), [], []
    busy = threading.Semaphore(0)

    def consume() -> None:
        try:
            while not stop.is_set():
                events = lives(2)
                carry(events)
                told.extend(events)
                busy.release()
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)
        finally:
            connections.close_all()

    consumers = [threading.Thread(target=consume) for _ in range(2)]
    for one in consumers:
        one.start()
    try:
        for _ in consumers:
            assert busy.acquire(timeout=20)
        outcome = rebuild(batch=40)
    finally:
        stop.set()
        for one in consumers:
            one.join(30)

    assert errors == []
    assert (outcome.differences, outcome.swapped) == ((), True)
    assert OrderView.objects.count() == 15 + sum(one.topic == "order.placed" for one in told)
    assert rebuild(dry_run=True).differences == ()


def test_what_differed_is_told_and_mended():
    carry([*names(), *lives(6)])
    before = tables()
    wrong = OrderView.objects.order_by("pk").first()
    execute(DATABASE, "UPDATE reporting_orderview SET total = 1 WHERE order_id = %s", [wrong.pk])
    execute(DATABASE, "DELETE FROM reporting_dailysales WHERE dimension = 'country'")
    looked = rebuild(dry_run=True)
    assert not looked.swapped and tables() != before
    outcome = rebuild()

    assert looked.differences == outcome.differences
    found = {one.table: (one.rows, one.keys[:1]) for one in outcome.differences}
    assert found["reporting_orderview"] == (1, (str(wrong.pk),))
    assert found["reporting_dailysales"][0] == 2
    assert tables() == before


class Dies(Silent):
    """Ends the process, as it were, after so many batches."""

    def __init__(self, batches: int):
        self.batches = batches

    def reach(self, done: int) -> None:
        self.batches -= 1
        if not self.batches:
            raise KeyboardInterrupt


def test_a_rebuild_that_died_goes_on_where_it_stopped():
    events = [*names(), *lives(20)]
    carry(events)
    before = tables()
    with pytest.raises(KeyboardInterrupt):
        projection_rebuild(progress=Dies(3), batch=20)
    assert tables() == before
    assert ProjectionRebuild.objects.get().events == 60
    outcome = rebuild(batch=20)

    assert (outcome.resumed, outcome.events, outcome.differences) == (True, len(events), ())


def test_what_was_applied_and_is_not_in_the_log_holds_the_swap_up(monkeypatch):
    monkeypatch.setattr(replaying, "PATIENCE_SECONDS", 0.3)
    carry([*names(), *lives(2)])
    [unlogged] = [body(lives(1)[0])]
    assert deliver(REPORTING, [unlogged]) == [Verdict.APPLIED]
    before = tables()
    with pytest.raises(RebuildStuck, match="1 events that were applied are not in the log"):
        rebuild()
    assert tables() == before

    assert deliver(ARCHIVE, [unlogged]) == [Verdict.APPLIED]
    assert rebuild().differences == ()
    assert tables() == before


def test_what_is_on_its_way_to_the_read_model_is_no_difference():
    carry([*names(), *lives(2)])
    late = [body(event) for event in lives(2)]
    assert set(deliver(ARCHIVE, late)) == {Verdict.APPLIED}

    assert rebuild().differences == ()
    after = tables()
    assert len(after["orderview"]) == 4
    assert set(deliver(REPORTING, late)) == {Verdict.APPLIED}
    assert tables() == after
