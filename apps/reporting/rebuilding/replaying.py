"""Carries a rebuild out: replay, catch-up, comparison, swap.

Consumers of the group hold ``LOCK`` shared with nobody while they write, so whoever holds it sees
the read model between two batches. The swap holds it: what the group has applied until then is in
the log and therefore in the shadow, or the swap is put off; what it applies afterwards goes to the
new tables. A rebuild that died is taken up where its last batch was committed.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from apps.common.databases import execute, fetch_all, fetch_one
from apps.common.errors import Conflict
from apps.common.progress import Progress
from apps.eventlog import comparing, selectors
from apps.eventlog.selectors import Logged
from apps.messaging.consuming.parsing import parse
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup, find_group
from apps.reporting.enums import DATABASE, GROUP, PROJECTION
from apps.reporting.models import ProjectionRebuild
from apps.reporting.projecting.applying import LOCK, apply
from apps.reporting.rebuilding import shadow
from apps.reporting.rebuilding.differences import Difference, differences

REBUILDING = 7_006_002  # the advisory lock of whoever rebuilds
BATCH = 2_000
FEW = 500  # events behind that may be left for the swap itself
ROUNDS = 5
RECENT_SECONDS = 120.0  # an event on its way to a group is younger than this
MOST_RECENT = 20_000
SWAP_SECONDS = 300
PATIENCE_SECONDS, NAP = 120.0, 0.25


class RebuildUnderWay(Conflict):
    code, title = "rebuild_under_way", "Another rebuild is under way"


class RebuildStuck(Conflict):
    code, title = "rebuild_stuck", "The rebuild cannot go on"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``resumed``: it went on from where another one had died."""

    events: int
    resumed: bool
    swapped: bool
    differences: tuple[Difference, ...]
    seconds: float


def projection_rebuild(
    *, progress: Progress, restart: bool = False, dry_run: bool = False, batch: int = BATCH
) -> Outcome:
    """Makes the read model anew from the log, compares and swaps it, while the shop goes on.

    With ``dry_run`` it only compares. Raises ``RebuildUnderWay`` where another one is at it and
    ``RebuildStuck`` where an event of the log cannot be applied, or the archive does not catch up.
    """
    if not fetch_one(DATABASE, "SELECT pg_try_advisory_lock(%s)", [REBUILDING])[0]:
        raise RebuildUnderWay("Another rebuild of the read model is under way.")
    try:
        return _Rebuild(progress, batch).run(restart=restart, dry_run=dry_run)
    finally:
        execute(DATABASE, "SELECT pg_advisory_unlock(%s)", [REBUILDING])


class _Rebuild:
    def __init__(self, progress: Progress, batch: int):
        self.progress, self.batch = progress, batch
        self.group: ConsumerGroup = find_group(GROUP)
        self.begun = time.monotonic()

    def run(self, *, restart: bool, dry_run: bool) -> Outcome:
        self.row, resumed = self._row(restart)
        self._replay()
        shadow.analyze()
        found = self._end(dry_run)
        seconds = time.monotonic() - self.begun
        return Outcome(self.row.events, resumed, not dry_run, tuple(found), seconds)

    def _row(self, restart: bool) -> tuple[ProjectionRebuild, bool]:
        """The rebuild that is not finished, or a new one; and whether it is taken up."""
        running = ProjectionRebuild.objects.filter(projection=PROJECTION, state="running")
        row = running.first()
        if row is not None and not restart and shadow.fits():
            return row, True
        with transaction.atomic(using=DATABASE):
            running.update(state=ProjectionRebuild.State.ABANDONED, ended_at=timezone.now())
            shadow.make()
            return ProjectionRebuild.objects.create(projection=PROJECTION), False

    # --- replay ---
    def _replay(self) -> None:
        """Up to the end of the log; as that moves on meanwhile, in rounds, each shorter than the
        one before, until few events are left for the swap."""
        for _ in range(ROUNDS):
            total = selectors.last_position()
            self.progress.begin("replay", total)
            self._catch_up(total)
            self.progress.reach(total)
            if selectors.last_position() - total <= FEW:
                return

    def _catch_up(self, until: int) -> None:
        """A transaction for each batch, with the mark of how far it went."""
        while events := self._next(until):
            with shadow.writing():
                self._apply(events)
            self.progress.reach(self.row.position)

    def _next(self, until: int) -> list[Logged]:
        return selectors.events_since(self.row.position, self.group.topics, self.batch, until=until)

    def _apply(self, events: Sequence[Logged]) -> None:
        apply(self._received(events))
        position, count = events[-1].position, self.row.events + len(events)
        execute(
            DATABASE,
            "UPDATE reporting_projectionrebuild SET position = %s, events = %s WHERE id = %s",
            [position, count, self.row.pk],
        )
        self.row.position, self.row.events = position, count

    def _received(self, events: Sequence[Logged]) -> list[Received]:
        """As the group would get them; its dead letters are left out, as they are in use."""
        dead = _dead([event.event_id for event in events])
        received = []
        for event in events:
            if event.event_id in dead:
                continue
            one = parse(self.group, event.body)
            if one is None:
                continue
            if not isinstance(one, Received):
                text = f"{event.topic} at position {event.position}: {one.reason}, {one.error}"
                raise RebuildStuck(text)
            received.append(one)
        return received

    # --- swap ---
    def _end(self, dry_run: bool) -> list[Difference]:
        """Holds the consumers up, applies what is left, compares and swaps."""
        end = time.monotonic() + PATIENCE_SECONDS
        self.progress.begin("compare" if dry_run else "compare and swap", 1)
        checked = self._wait_for_archive(end)
        while True:
            with shadow.writing():
                execute(DATABASE, f"SET LOCAL statement_timeout = '{SWAP_SECONDS}s'")
                execute(DATABASE, "SELECT pg_advisory_xact_lock(%s)", [LOCK])
                position, count = self.row.position, self.row.events
                if not (missing := _not_in_log(since=checked)):
                    found = self._finish(dry_run)
                    break
                transaction.set_rollback(True, using=DATABASE)
            self.row.position, self.row.events = position, count
            _nap(end, missing)
            self._replay()
        self.progress.reach(1)
        return found

    def _wait_for_archive(self, end: float):
        """Until all that the group had applied is in the log; the moment before it was asked, with
        room for transactions that were open then."""
        while True:
            [moment] = fetch_one(DATABASE, "SELECT clock_timestamp() - interval '10 minutes'")
            if not (missing := _not_in_log(since=None)):
                return moment
            _nap(end, missing)
            self._replay()

    def _finish(self, dry_run: bool) -> list[Difference]:
        end = selectors.last_position()  # all that was applied, and maybe more
        while events := self._next(end):
            self._apply(events)
        self._level(end)
        found = differences()
        if dry_run:
            shadow.drop()
            state = ProjectionRebuild.State.ABANDONED
        else:
            shadow.swap()
            state = ProjectionRebuild.State.SWAPPED
        self.row.state, self.row.ended_at = state, timezone.now()
        self.row.differences = {
            one.table: {"rows": one.rows, "keys": list(one.keys)} for one in found
        }
        self.row.save(using=DATABASE)
        return found

    def _level(self, end: int) -> None:
        """Applies to the tables in use what is logged and still on its way to the group, so that
        they are compared at the same point. Its consumer applies it once more: to no effect."""
        recent = comparing.last_before(RECENT_SECONDS)
        events = selectors.events_since(recent, self.group.topics, MOST_RECENT, until=end)
        unknown = comparing.unknown_to(self.group, [event.event_id for event in events])
        late = [event for event in events if event.event_id in unknown]
        if late:
            execute(DATABASE, f"SET LOCAL search_path = {shadow.LIVE}")
            apply(self._received(late))
            execute(DATABASE, f"SET LOCAL search_path = {shadow.SCHEMA}, {shadow.LIVE}")


def _nap(end: float, missing: int) -> None:
    if time.monotonic() > end:
        raise RebuildStuck(
            f"{missing:,} events that were applied are not in the log: is `archive` consumed?"
        )
    time.sleep(NAP)


def _dead(event_ids: Sequence) -> set:
    rows = fetch_all(
        DATABASE,
        "SELECT event_id FROM messaging_deadletter"
        " WHERE consumer = %s AND redriven_at IS NULL AND event_id = ANY(%s::uuid[])",
        [GROUP, list(event_ids)],
    )
    return {event_id for (event_id,) in rows}


def _not_in_log(*, since) -> int:
    """How many events the group has applied, since then, that the log does not have."""
    return fetch_one(
        DATABASE,
        """
        SELECT count(*) FROM messaging_inbox i
        WHERE consumer = %s AND received_at >= coalesce(%s::timestamptz, '-infinity')
            AND NOT EXISTS (
                SELECT FROM eventlog_event e WHERE e.event_id = i.message_id::uuid)
        """,
        [GROUP, since],
    )[0]
