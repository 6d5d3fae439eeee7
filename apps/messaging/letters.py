"""Dead letters: looked at, and redriven on a person's word."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.common.failpoints import failpoint
from apps.messaging.consuming.delivering import Verdict, redeliver
from apps.messaging.groups import find_group
from apps.messaging.models import DeadLetter
from apps.messaging.relay import queue
from apps.messaging.staff_log import staff_changes

log = structlog.get_logger(__name__)
MOST_REASON = 200  # characters
SUBJECT = "messaging.deadletter"
SIZE = 500  # letters that are redriven together
RESENT = "sent again"  # the verdict on a letter of the relay


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters; what is empty does not count."""

    consumer: str = ""
    topic: str = ""
    reason: str = ""
    ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class DryRun:
    """``ready``: letters that would be redriven, by id; ``refused``: how many would not, by why."""

    ready: list[int]
    refused: list[tuple[str, int]]


def letters_waiting(alias: str, wanted: Wanted) -> QuerySet[DeadLetter]:
    """The letters of ``alias`` that nobody has redriven with success, oldest first."""
    found = DeadLetter.objects.using(alias).filter(redriven_at=None).order_by("id")
    if wanted.consumer:
        found = found.filter(consumer=wanted.consumer)
    if wanted.topic.endswith(".*"):
        found = found.filter(topic__startswith=wanted.topic[:-1])
    elif wanted.topic:
        found = found.filter(topic=wanted.topic)
    if wanted.reason:
        found = found.filter(reason=wanted.reason)
    if wanted.ids:
        found = found.filter(id__in=wanted.ids)
    return found


def letters_dry_run(letters: QuerySet[DeadLetter]) -> DryRun:
    """What redriving ``letters`` would meet; changes nothing."""
    ready, refused = [], Counter()
    for pk, consumer, redriven_at in letters.values_list("id", "consumer", "redriven_at"):
        if redriven_at is not None:
            refused["redriven already"] += 1
        elif consumer != queue.CONSUMER and find_group(consumer) is None:
            refused[f"there is no consumer group {consumer} any more"] += 1
        else:
            ready.append(pk)
    return DryRun(ready, refused.most_common())


def letters_redrive(alias: str, ids: Sequence[int], *, why: str) -> Counter[str]:
    """Tries the letters ``ids`` of ``alias`` once more, through the group's inbox: what was applied
    in the meantime is not applied twice. Returns how many by verdict.

    The event ids stay. Who asked, and ``why``, is in the log of staff before anything is tried.
    """
    verdicts: Counter[str] = Counter()
    for start in range(0, len(ids), SIZE):
        verdicts += _redrive(alias, ids[start : start + SIZE], why)
    log.info("dead_letters.redriven", database=alias, why=why, **verdicts)
    return verdicts


def _redrive(alias: str, ids: Sequence[int], why: str) -> Counter[str]:
    with transaction.atomic(using=alias):
        waiting = letters_waiting(alias, Wanted(ids=tuple(ids)))
        letters = list(waiting.select_for_update(of=("self",)))
        staff_changes(alias, subject=SUBJECT, notes=[_note(letter, why) for letter in letters])
        unsent = [letter for letter in letters if letter.consumer == queue.CONSUMER]
        if unsent:
            queue.revive(alias, [letter.event_id for letter in unsent])
            ours = DeadLetter.objects.using(alias).filter(id__in=[one.id for one in unsent])
            ours.update(redriven_at=Now())
        failpoint("letters.redrive.before_commit")
    failpoint("letters.redrive.after_commit")
    verdicts = Counter({RESENT: len(unsent)} if unsent else {})
    for consumer in dict.fromkeys(letter.consumer for letter in letters):
        group = find_group(consumer)
        if group is not None:
            bodies = [bytes(one.body) for one in letters if one.consumer == consumer]
            verdicts.update(verdict.value for verdict in redeliver(group, bodies))
    return verdicts


def _note(letter: DeadLetter, why: str) -> tuple:
    before = {"consumer": letter.consumer, "topic": letter.topic, "reason": letter.reason}
    return "redrive", letter.event_id, before, before | {"why": why}


def told(verdicts: Counter[str]) -> list[tuple[str, bool]]:
    """The verdicts in words, and whether they are good news."""
    words = {
        Verdict.APPLIED.value: ("applied", True),
        Verdict.DUPLICATE.value: ("had been applied already", True),
        Verdict.NOT_MEANT.value: ("left alone: the group does not want them any more", False),
        Verdict.DEAD.value: ("dead again", False),
        Verdict.AGAIN.value: ("left as they are: the database did not answer", False),
        RESENT: ("on their way to the broker again", True),
    }
    return [(f"{n:,} {words[one][0]}", words[one][1]) for one, n in verdicts.most_common()]
