"""The queue of mails: claimed under a lease, told apart by the database's clock.

While a mail is being sent ``next_attempt_at`` is when its lease ends; whoever finds it then takes
it over. A sender that lost its lease begins no mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction

from apps.common.databases import execute, fetch_all, fetch_one
from apps.common.failpoints import failpoint
from apps.notifications.composing import Composed
from apps.notifications.enums import DATABASE, EmailState, Kind
from apps.notifications.preparing import COLUMNS, Row, end, prepare

MOST_ATTEMPTS = 10
MOST_ERROR = 400


@dataclass(frozen=True, slots=True)
class Claimed:
    """A mail of mine to send, ``token`` proves it."""

    id: int
    token: UUID
    event_id: UUID
    kind: Kind
    copy: int
    correlation_id: str
    content: Composed


def claim(most: int) -> list[Claimed]:
    """Claims up to ``most`` due mails, oldest first, and composes those that are new; those that
    cannot or shall not be sent leave the queue or wait. Returns the others."""
    token = uuid4()
    with transaction.atomic(using=DATABASE):
        rows = fetch_all(
            DATABASE,
            """
            UPDATE notifications_email SET state = 'sending', lease_token = %s,
                next_attempt_at = clock_timestamp() + make_interval(secs => %s)
            WHERE id IN (
                SELECT id FROM notifications_email
                WHERE state IN ('pending', 'sending') AND next_attempt_at <= statement_timestamp()
                ORDER BY next_attempt_at, id LIMIT %s FOR UPDATE SKIP LOCKED
            )
            RETURNING """
            + COLUMNS,
            [token, settings.EMAIL_LEASE_SECONDS, most],
        )
        mine = _end_the_hopeless(sorted(map(Row._make, rows)))
        ready = prepare(mine)
        failpoint("notifications.claim.before_commit")
    failpoint("notifications.claim.after_commit")
    return [
        Claimed(
            row.id, token, row.event_id, Kind(row.kind), row.copy, row.correlation_id, ready[row.id]
        )
        for row in mine
        if row.id in ready
    ]


def _end_the_hopeless(rows: list[Row]) -> list[Row]:
    """Those whose every sender died over them fail; returns the others."""
    spent = [row.id for row in rows if row.attempts >= MOST_ATTEMPTS]
    if spent:
        end(spent, EmailState.FAILED, ["No attempt to send it ever ended."] * len(spent))
    return [row for row in rows if row.attempts < MOST_ATTEMPTS]


# --- while it is sent --------------------------------------------------------------------------
def begin(mail: Claimed) -> int | None:
    """Spends an attempt on ``mail`` and renews its lease; the number of the attempt, or None where
    the mail is not mine any more."""
    with transaction.atomic(using=DATABASE):
        row = fetch_one(
            DATABASE,
            """
            UPDATE notifications_email SET attempts = attempts + 1,
                next_attempt_at = clock_timestamp() + make_interval(secs => %s)
            WHERE id = %s AND lease_token = %s AND state = 'sending' RETURNING attempts
            """,
            [settings.EMAIL_LEASE_SECONDS, mail.id, mail.token],
        )
        failpoint("notifications.begin.before_commit")
    failpoint("notifications.begin.after_commit")
    return row and row[0]


def sent(mail: Claimed) -> None:
    """The mail server has it: true whoever holds the lease by now."""
    with transaction.atomic(using=DATABASE):
        execute(
            DATABASE,
            "UPDATE notifications_email SET state = 'sent', sent_at = clock_timestamp(),"
            " error = '', lease_token = NULL WHERE id = %s AND state <> 'sent'",
            [mail.id],
        )
        failpoint("notifications.settle.before_commit")
    failpoint("notifications.settle.after_commit")


def failed(mail: Claimed, error: str) -> None:
    """It is not to be tried again."""
    _settle([mail], "failed", error, 0.0)


def put_back(mails: Sequence[Claimed], *, seconds: float, error: str = "") -> None:
    """They are due again in ``seconds``; an empty ``error`` leaves what stands there."""
    if mails:
        _settle(mails, "pending", error, seconds)


def _settle(mails: Sequence[Claimed], state: str, error: str, seconds: float) -> None:
    with transaction.atomic(using=DATABASE):
        execute(
            DATABASE,
            """
            UPDATE notifications_email SET state = %s, lease_token = NULL,
                error = CASE WHEN %s = '' THEN error ELSE %s END,
                next_attempt_at = clock_timestamp() + make_interval(secs => %s)
            WHERE id = ANY(%s::bigint[]) AND lease_token = %s AND state = 'sending'
            """,
            [
                *(state, error[:MOST_ERROR], error[:MOST_ERROR], seconds),
                *([mail.id for mail in mails], mails[0].token),
            ],
        )
        failpoint("notifications.settle.before_commit")
    failpoint("notifications.settle.after_commit")
