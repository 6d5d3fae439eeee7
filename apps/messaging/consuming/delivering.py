"""The one way of an event into a consumer group: for consumers, redrives and the reconciler.

An event and its effect are entered in the inbox by one transaction on the group's database, many
events at once. An error is narrowed down to the event that causes it, which is then tried alone,
each attempt counted before it is made; the others go on.
"""

import random
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import structlog
from django.db import transaction

from apps.common.databases import discard_connections, is_passing
from apps.common.failpoints import failpoint
from apps.common.storing import text_of_error
from apps.common.timeouts import TimedOut, in_time
from apps.messaging import inbox
from apps.messaging.consuming import records
from apps.messaging.consuming.handling import handle, hint
from apps.messaging.consuming.parsing import Unreadable, parse
from apps.messaging.consuming.records import Letter
from apps.messaging.contracts import Received
from apps.messaging.groups import ConsumerGroup

log = structlog.get_logger(__name__)
IN_THE_WAY = 3  # times that a batch is repeated at once because of others' transactions
PATIENCE = 3  # times a group's ``seconds`` that one delivery may take before it leaves the rest


class Verdict(StrEnum):
    """``applied`` now · ``duplicate``: applied before · ``not_meant``: none of the group's own ·
    ``dead``: a dead letter · ``again``: to be delivered once more, later."""

    APPLIED = "applied"
    NOT_MEANT = "not_meant"
    DUPLICATE = "duplicate"
    DEAD = "dead"
    AGAIN = "again"


class _Away(Exception):
    """The group's database is away: nothing more can be said of the other events now."""


def deliver(
    group: ConsumerGroup, bodies: Sequence[bytes], *, repeated: Collection[int] = ()
) -> list[Verdict]:
    """Gives ``bodies`` (``Envelope``s as JSON) to ``group``; what became of each, in order.

    ``repeated`` are the positions of those that a consumer may have had in its hands when it
    died. Only in the main thread is the group's time limit kept. Never raises for a message, nor
    for a database that is away: then the verdict is ``again``.
    """
    return Delivery(group).run(bodies, repeated)


def redeliver(group: ConsumerGroup, bodies: Sequence[bytes]) -> list[Verdict]:
    """As ``deliver``, for dead letters: each is tried once more, with fresh attempts."""
    return Delivery(group, redrive=True).run(bodies, range(len(bodies)))


@dataclass(frozen=True, slots=True)
class _Message:
    event: Received
    body: bytes

    @property
    def id(self) -> UUID:
        return self.event.event_id


class Delivery:
    """One round of ``deliver``; ``away`` says afterwards that the database did not answer."""

    def __init__(self, group: ConsumerGroup, *, redrive: bool = False):
        self.group, self.redrive = group, redrive
        self.away = False
        self._explained = False  # one traceback is enough
        self._verdicts: dict[UUID, Verdict] = {}
        self._noted: set[UUID] = set()  # those with a row among the attempts
        self._until = time.monotonic() + PATIENCE * group.seconds

    def run(self, bodies: Sequence[bytes], repeated: Collection[int] = ()) -> list[Verdict]:
        parsed = [parse(self.group, body) for body in bodies]
        messages: dict[UUID, _Message] = {}
        unreadable: dict[UUID, Letter] = {}
        suspects = set()
        for position, (one, body) in enumerate(zip(parsed, bodies, strict=True)):
            if one is None:
                continue
            if isinstance(one, Unreadable):
                unreadable.setdefault(one.event_id, _letter(one, body))
                continue
            messages.setdefault(one.event_id, _Message(one, body))
            if position in repeated:
                suspects.add(one.event_id)
        try:
            self._bury(list(unreadable.values()))
            self._deliver(messages, suspects)
        except Exception as error:
            if not isinstance(error, _Away) and not is_passing(error):
                raise
            self._say_away(error)
        return [self._told(one.event_id) if one else Verdict.NOT_MEANT for one in parsed]

    def _told(self, event_id: UUID) -> Verdict:
        """The verdict; another copy of what was applied just now is a duplicate."""
        verdict = self._verdicts.get(event_id, Verdict.AGAIN)
        if verdict is Verdict.APPLIED:
            self._verdicts[event_id] = Verdict.DUPLICATE
        return verdict

    def _deliver(self, messages: dict[UUID, _Message], suspects: Collection[UUID]) -> None:
        group = self.group
        if not messages:
            return
        pasts = records.pasts(group.alias, group.name, list(messages))
        together, alone, spent = [], [], []
        for message in messages.values():
            past = pasts.get(message.id)
            if past is None or self.redrive:
                together.append(message)
            elif past.dead:
                self._verdicts[message.id] = Verdict.DEAD
            elif past.attempts >= group.max_attempts:
                spent.append(_failed(message, past.error))
            elif not past.waits:
                alone.append(message)
        if self.redrive:
            records.forget(group.alias, group.name, [one.id for one in together])
        suspects = [one.id for one in together if one.id in suspects]
        if suspects:
            self._mark(suspects)
        self._batch(together)
        self._bury(spent)
        self._one_by_one(alone)

    def _batch(self, messages: Sequence[_Message]) -> None:
        """All in one transaction; where that raises, in halves."""
        if not messages:
            return
        try:
            self._apply(messages)
        except TimedOut:
            # Halves of it could take their time as well: each by itself, and counted.
            self._mark([one.id for one in messages])
            self._one_by_one(messages)
        except Exception as error:
            if is_passing(error):
                raise _Away(str(error)) from error
            if len(messages) == 1:
                attempts = records.count(self.group.alias, self.group.name, messages[0].id)
                self._failed(messages[0], attempts, error)
                return
            half = len(messages) // 2
            for part in (messages[:half], messages[half:]):
                if len(part) == 1:
                    self._one_by_one(part)
                else:
                    self._batch(part)

    def _one_by_one(self, messages: Sequence[_Message]) -> None:
        """Each in a transaction of its own; its attempt is counted before."""
        group = self.group
        for message in messages:
            if time.monotonic() > self._until:
                return  # the rest comes again
            with transaction.atomic(using=group.alias):
                attempts = records.count(group.alias, group.name, message.id)
                failpoint("consume.count.before_commit")
            failpoint("consume.count.after_commit")
            self._noted.add(message.id)
            try:
                self._apply([message])
            except Exception as error:
                if is_passing(error):
                    raise _Away(str(error)) from error
                self._failed(message, attempts, error)

    def _apply(self, messages: Sequence[_Message]) -> None:
        """Enters ``messages`` in the inbox and has those that are new handled."""
        for left in reversed(range(IN_THE_WAY)):
            try:
                new = in_time(self.group.seconds, lambda: self._handle(messages))
                break
            except Exception as error:
                if not left or not _is_in_the_way(error):
                    raise
                time.sleep(random.uniform(0, 0.05))  # noqa: S311 - jitter, not a secret
        failpoint("consume.apply.after_commit")
        fresh = {event.event_id for event in new}
        for message in messages:
            applied = message.id in fresh
            self._verdicts[message.id] = Verdict.APPLIED if applied else Verdict.DUPLICATE
        hint(self.group, new)

    def _handle(self, messages: Sequence[_Message]) -> list[Received]:
        group = self.group
        with transaction.atomic(using=group.alias):
            fresh = inbox.enter(group.alias, group.name, [one.id for one in messages])
            new = [one.event for one in messages if one.id in fresh]
            if new:
                handle(group, new)
            noted = [one.id for one in messages if one.id in self._noted]
            if noted:
                records.forget(group.alias, group.name, noted)
                records.resurrect(group.alias, group.name, noted)
            failpoint("consume.apply.before_commit")
        return new

    def _failed(self, message: _Message, attempts: int, error: BaseException) -> None:
        text = text_of_error(error)
        log.warning(
            "consume.failed",
            group=self.group.name,
            event_id=str(message.id),
            topic=message.event.topic,
            attempt=attempts,
            error=text,
            exc_info=None if self._explained else error,
        )
        self._explained = True
        if self.redrive or attempts >= self.group.max_attempts:
            self._bury([_failed(message, text)])
        else:
            records.fail(self.group.alias, self.group.name, message.id, text)
            self._verdicts[message.id] = Verdict.AGAIN

    def _bury(self, letters: Sequence[Letter]) -> None:
        """Dead letters, but for what another consumer has applied in the meantime."""
        if not letters:
            return
        group, ids = self.group, [letter.event_id for letter in letters]
        with transaction.atomic(using=group.alias):
            # Waits for whoever is applying one of them now.
            free = inbox.enter(group.alias, group.name, ids)
            inbox.leave(group.alias, group.name, free)
            dead = [letter for letter in letters if letter.event_id in free]
            records.bury(group.alias, group.name, dead)
            records.forget(group.alias, group.name, ids)
            failpoint("consume.bury.before_commit")
        failpoint("consume.bury.after_commit")
        for event_id in ids:
            self._verdicts[event_id] = Verdict.DEAD if event_id in free else Verdict.DUPLICATE
        if dead:
            log.error(
                "consume.dead_letters",
                group=group.name,
                letters=len(dead),
                reasons=dict(Counter(letter.reason for letter in dead)),
                event_id=str(dead[0].event_id),
                error=dead[0].error,
            )

    def _mark(self, event_ids: Sequence[UUID]) -> None:
        records.mark(self.group.alias, self.group.name, event_ids)
        self._noted.update(event_ids)

    def _say_away(self, error: Exception) -> None:
        self.away = True
        log.warning("consume.database_away", group=self.group.name, error=str(error))
        discard_connections()


def _is_in_the_way(error: Exception) -> bool:
    """Whether only another transaction kept this one from committing: a deadlock, or rows that
    both changed."""
    sqlstate = getattr(error.__cause__, "sqlstate", None) or ""
    return is_passing(error) and sqlstate.startswith("40")


def _letter(one: Unreadable, body: bytes) -> Letter:
    return Letter(one.event_id, one.topic, body, one.headers, one.reason, one.error)


def _failed(message: _Message, error: str) -> Letter:
    event = message.event
    return Letter(event.event_id, event.topic, message.body, event.headers, "failed", error)
