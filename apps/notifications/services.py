"""What customers and staff change: preferences, and mails that go once more."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from apps.common.databases import execute
from apps.common.errors import Conflict, InvalidInput, NotFound, VersionConflict
from apps.common.failpoints import failpoint
from apps.messaging.staff_log import staff_change
from apps.notifications.enums import DATABASE, OPEN_STATES, EmailState
from apps.notifications.models import Email, Preference

MOST_REASON = 400


def preference_change(
    *, customer_id: UUID, wanted: Mapping[str, bool], version: int | None = None
) -> Preference:
    """Sets which kinds of mails (``OPTIONAL``) the customer wants; others stay as they are.

    Raises ``VersionConflict`` where the preferences are not at ``version`` any more.
    """
    with transaction.atomic(using=DATABASE):
        execute(
            DATABASE,
            "INSERT INTO notifications_preference (customer_id) VALUES (%s) ON CONFLICT DO NOTHING",
            [customer_id],
        )
        row = Preference.objects.using(DATABASE).select_for_update().get(pk=customer_id)
        if version is not None and version != row.version:
            raise VersionConflict(f"The preferences are at version {row.version}.")
        changed = [name for name, value in wanted.items() if getattr(row, name) != value]
        if changed:
            Preference.objects.using(DATABASE).filter(pk=customer_id).update(
                **wanted, version=row.version + 1, changed_at=Now()
            )
            row.refresh_from_db(using=DATABASE)
        failpoint("notifications.change.before_commit")
    failpoint("notifications.change.after_commit")
    return row


def email_resend(*, email_id: int, reason: str) -> Email:
    """Sends a mail once more, as a copy of its own, composed anew from what is known today.

    Raises ``InvalidInput`` without a reason, ``NotFound``, and ``Conflict`` while the mail or a
    copy of it is still on its way.
    """
    reason = reason.strip()
    if not 0 < len(reason) <= MOST_REASON:
        raise InvalidInput.field("reason", "length", f"1 to {MOST_REASON} characters.")
    with transaction.atomic(using=DATABASE):
        rows = Email.objects.using(DATABASE)
        first = rows.filter(pk=email_id).first()
        if first is None:
            raise NotFound("There is no such mail.")
        # The first of its kind is there as long as any: its row lets one copy be made at a time.
        same = rows.filter(event_id=first.event_id, kind=first.kind)
        list(same.order_by("pk").select_for_update())
        if same.filter(state__in=OPEN_STATES).exists():
            raise Conflict("It is still on its way.")
        copy = Email(
            event_id=first.event_id,
            kind=first.kind,
            copy=same.aggregate(last=Max("copy"))["last"] + 1,
            customer_id=first.customer_id,
            order_id=first.order_id,
            facts=first.facts,
            occurred_at=first.occurred_at,
            correlation_id=first.correlation_id,
        )
        copy.save(using=DATABASE, force_insert=True)
        staff_change(
            DATABASE,
            subject="notifications.email",
            subject_id=email_id,
            action="resend",
            after={"copy": copy.pk, "state": EmailState.PENDING.value, "reason": reason},
        )
        failpoint("notifications.change.before_commit")
    failpoint("notifications.change.after_commit")
    return copy
