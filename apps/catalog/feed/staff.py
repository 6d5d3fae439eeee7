"""What staff do about edits by hand; noted before it is tried."""

from collections.abc import Sequence

from django.db import transaction

from apps.caching import write_behind
from apps.caching.write_behind.connections import AWAY
from apps.catalog.enums import DATABASE
from apps.catalog.feed.buffer import PRODUCTS
from apps.common.errors import InvalidInput
from apps.messaging.staff_log import staff_changes

SUBJECT = "catalog.feed"
MOST_REASON, MOST_LETTERS = 200, 1_000


def edits_flush() -> int:
    """Writes all edits that wait, here and now; returns how many products had some.

    Raises ``PendingUnknown`` where Redis is away.
    """
    _note("flush", ["all"])
    try:
        return write_behind.flush_now(PRODUCTS)
    except AWAY as error:
        raise write_behind.PendingUnknown(str(error)) from error


def letters_redrive(*, ids: Sequence[str], why: str) -> int:
    """Gives refused edits (by letter) another try, beneath what came for their products since;
    returns how many there were. Raises ``InvalidInput``, ``PendingUnknown``."""
    _note("redrive", ids, _reason(ids, why))
    return write_behind.redrive(PRODUCTS, ids)


def letters_discard(*, ids: Sequence[str], why: str) -> int:
    """Throws refused edits away for good; as ``letters_redrive``."""
    _note("discard", ids, _reason(ids, why))
    return write_behind.discard(PRODUCTS, ids)


def _reason(ids: Sequence[str], why: str) -> str:
    if not ids:
        raise InvalidInput.field("edits", "required", "Choose at least one edit.")
    if len(ids) > MOST_LETTERS:
        raise InvalidInput.field("edits", "max_length", f"At most {MOST_LETTERS:,} at once.")
    if not why.strip():
        raise InvalidInput.field("reason", "blank", "Say why.")
    if len(why) > MOST_REASON:
        raise InvalidInput.field("reason", "max_length", f"At most {MOST_REASON} characters.")
    return why.strip()


def _note(action: str, ids: Sequence[str], why: str = "") -> None:
    after = {"reason": why} if why else None
    with transaction.atomic(using=DATABASE):
        staff_changes(
            DATABASE, subject=SUBJECT, notes=[(action, one[:64], None, after) for one in ids]
        )
