"""A feed as it was sent: each line by itself, the whole once per Idempotency-Key.

Stock is counted first, in one transaction with the key, so that a repeat after a crash finds what
was counted; then edits of price and attributes are kept, which may happen twice without harm; then
the answer is recorded. A line whose count is refused has no edit.
"""

import hashlib
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import transaction

from apps.catalog import stock
from apps.catalog.contracts import (
    CountLine,
    CountStock,
    FeedReport,
    LineError,
    SendFeed,
)
from apps.catalog.enums import DATABASE
from apps.catalog.feed import buffering, flushing, lines, sql
from apps.catalog.feed.edits import signature
from apps.catalog.feed.lines import Line
from apps.common.correlation import current_request_id
from apps.common.failpoints import failpoint
from apps.messaging import idempotency
from apps.messaging.staff_log import staff_change

SUBJECT = "catalog.feed"
REASON = "feed"  # of its movements in the stock ledger
WAITS, DONE, REFUSED = "w", "d", "e"


def feed_send(command: SendFeed) -> FeedReport:
    """Changes what the lines say; a bad line hurts no other.

    Raises ``InvalidInput`` where the body is no feed at all, ``KeyReused``, ``StillRunning``.
    """
    digest = hashlib.blake2b(command.body, digest_size=16).hexdigest()
    digest = f"{command.form}:{command.counts}:{digest}"
    known = idempotency.answered(DATABASE, command.principal, command.key, digest, FeedReport)
    if known is not None:
        return known
    found = lines.read(command.body, command.form)
    if not command.counts:
        _refuse_counts(found)
    epoch = _resolve(found)
    _count(command, digest, found)
    kept = buffering.keep(_edits(found, command.principal), by=command.principal, epoch=epoch)
    return _answer(command, digest, _report(found, kept))


def _refuse_counts(found: Sequence[Line]) -> None:
    for line in found:
        if line.count is not None and not line.errors:
            line.refuse("stock", "permission_denied", "You may not change stock.")


def _resolve(found: Sequence[Line]) -> int:
    """Finds the products of all lines in one query; returns the newest epoch."""
    good = [line for line in found if not line.errors]
    by_sku, by_key, epoch = sql.living(
        {line.sku for line in good if line.sku}, {line.key for line in good if line.key}
    )
    for line in good:
        known = by_sku.get(line.sku) if line.sku else by_key.get(line.key)
        if known is None:
            name = "sku" if line.sku else "id"
            line.refuse(name, "does_not_exist", "There is no such product.")
            continue
        line.key = known.key
        if line.size and known.size + line.size > lines.MAX_LINE:
            line.refuse("attributes", "max_length", flushing.REASONS[sql.Outcome.TOO_LONG])
    return epoch


def _count(command: SendFeed, digest: str, found: Sequence[Line]) -> None:
    """Takes the key, and changes stock as far as the feed says something of it."""
    counts = [
        CountLine(line.number, UUID(line.key), *line.count)
        for line in found
        if line.count is not None and not line.errors
    ]
    report = stock.count(CountStock(command.key, command.principal, digest, REASON, tuple(counts)))
    if report.refused:
        refused = {one.line: one for one in report.refused}
        for line in found:
            if line.number in refused:
                one = refused[line.number]
                line.refuse("stock", one.code, one.detail)


def _edits(found: Sequence[Line], actor: str) -> dict[str, dict[str, bytes]]:
    """The edits by product, later lines over earlier ones."""
    signed = signature(actor, current_request_id())
    wanted: dict[str, dict[str, bytes]] = {}
    for line in found:
        if line.fields and not line.errors:
            before = wanted.get(line.key)
            wanted[line.key] = line.fields | signed if before is None else before | line.fields
    return wanted


def _report(found: Sequence[Line], kept: buffering.Kept) -> FeedReport:
    for line in found:
        if line.fields and not line.errors and line.key in kept.refused:
            line.refuse("", "refused", flushing.REASONS[kept.refused[line.key]])
    letters = [
        REFUSED if line.errors else WAITS if line.fields and line.key in kept.waiting else DONE
        for line in found
    ]
    numbers = () if found[-1].number == len(found) else tuple(line.number for line in found)
    errors: list[LineError] = []
    for line in found:
        if line.errors:
            errors += line.errors
    return FeedReport("".join(letters), tuple(errors), kept.version or "", numbers)


def counts_of(report: FeedReport) -> Mapping[str, int]:
    """How many lines ended how."""
    outcomes = report.outcomes
    return {
        "accepted": outcomes.count(WAITS),
        "applied": outcomes.count(DONE),
        "error": outcomes.count(REFUSED),
    }


def _answer(command: SendFeed, digest: str, report: FeedReport) -> FeedReport:
    with transaction.atomic(using=DATABASE):
        answer = idempotency.once(
            DATABASE,
            command.principal,
            command.key,
            digest,
            FeedReport,
            lambda: _noted(command, report),
        )
        failpoint("feed.answer.before_commit")
    failpoint("feed.answer.after_commit")
    return answer


def _noted(command: SendFeed, report: FeedReport) -> FeedReport:
    staff_change(
        DATABASE,
        subject=SUBJECT,
        subject_id=command.key[:64],
        action="send",
        after={**counts_of(report), "version": report.version},
    )
    return report
