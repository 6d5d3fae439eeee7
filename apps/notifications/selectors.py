"""Reads of preferences and of the log of mails."""

from dataclasses import dataclass
from uuid import UUID

from apps.common.databases import fetch_one
from apps.notifications.composing import Composed
from apps.notifications.enums import DATABASE, Kind
from apps.notifications.models import Email, Preference
from apps.notifications.rendering import text_of


def preference_of(*, customer_id: UUID) -> Preference:
    """What the customer wants; who has said nothing wants all, at version 1."""
    row = Preference.objects.using(DATABASE).filter(customer_id=customer_id).first()
    return row or Preference(customer_id=customer_id)


def email_preview(email: Email) -> str:
    """The mail as text; ``""`` while it is not composed."""
    if email.context is None:
        return ""
    content = Composed(email.recipient, email.subject, email.context)
    return text_of(Kind(email.kind), content)


@dataclass(frozen=True, slots=True)
class Backlog:
    """``waiting`` mails, the oldest for ``age`` seconds; ``failed`` those of the last day."""

    waiting: int
    age: float
    failed: int


def backlog() -> Backlog:
    """How far behind the senders are."""
    row = fetch_one(
        DATABASE,
        """
        SELECT count(*), COALESCE(EXTRACT(epoch FROM clock_timestamp() - min(created_at)), 0),
            (SELECT count(*) FROM notifications_email
             WHERE state = 'failed' AND created_at > clock_timestamp() - interval '1 day')
        FROM notifications_email WHERE state IN ('pending', 'sending')
        """,
    )
    return Backlog(row[0], float(row[1]), row[2])
