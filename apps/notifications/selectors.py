"""Reads of preferences and of the log of mails."""

from datetime import timedelta
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


def backlog() -> tuple[int, timedelta | None]:
    """How many mails are not sent yet, and since when the oldest of them waits."""
    count, age = fetch_one(
        DATABASE,
        "SELECT count(*), clock_timestamp() - min(created_at) FROM notifications_email"
        " WHERE state IN ('pending', 'sending')",
    )
    return count, age
