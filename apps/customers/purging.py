"""People and addresses removed for good, and logins that are over."""

from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from apps.common import references
from apps.common.databases import execute, fetch_all
from apps.common.errors import Conflict, NotFound
from apps.customers.enums import DATABASE
from apps.customers.models import Address, User
from apps.messaging.staff_log import staff_change

KIND = "customers.user"
CANDIDATES = """
    SELECT id, public_id FROM customers_user
    WHERE id > %s AND deleted < now() - make_interval(days => %s)
    ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""


def addresses_purge(*, days: int, most: int) -> int:
    """Removes at most ``most`` addresses deleted more than ``days`` ago; returns how many.

    Nothing refers to an address: an order keeps the copy it was placed with.
    """
    return execute(
        DATABASE,
        """
        DELETE FROM customers_address WHERE id IN (
            SELECT id FROM customers_address
            WHERE deleted < now() - make_interval(days => %s)
            ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [days, most],
    )


def customers_purge(*, days: int, size: int = 500) -> int:
    """Removes accounts deleted more than ``days`` ago, with all that is theirs; returns how many.

    Who has an order or stands in the log of the back office stays, and so does one whom somebody
    is restoring. ``size`` accounts are looked at per transaction.
    """
    purged, last = 0, 0
    while True:
        with transaction.atomic(using=DATABASE):
            # Their row locks keep them deleted until the end of this transaction.
            rows = fetch_all(DATABASE, CANDIDATES, [last, days, size])
            kept = references.referred(KIND, [public_id for _, public_id in rows])
            free = [pk for pk, public_id in rows if public_id not in kept]
            acted = LogEntry.objects.using(DATABASE).filter(user_id=OuterRef("pk"))
            # The plain queryset removes rows; the model's own would mark them as deleted again.
            doomed = QuerySet(User, using=DATABASE).filter(~Exists(acted), pk__in=free)
            _, removed = doomed.delete()
            purged += removed.get(User._meta.label, 0)
        if len(rows) < size:
            return purged
        last = rows[-1][0]


def customer_purge(*, user_id: int) -> None:
    """Removes one deleted account for good, with all that is theirs; nothing brings it back.

    Raises ``NotFound``, ``Conflict``: ``not_deleted`` where it lives, ``in_use`` where orders or
    the log of the back office name it: books must name whom they are about.
    """
    with transaction.atomic(using=DATABASE):
        rows = User.all_objects.using(DATABASE).select_for_update()
        user = rows.filter(pk=user_id).first()
        if user is None:
            raise NotFound("There is no such account.")
        if user.deleted is None:
            raise Conflict("Only a deleted account can be purged.", code="not_deleted")
        acted = LogEntry.objects.using(DATABASE).filter(user_id=user_id).exists()
        if acted or references.referred(KIND, [user.public_id]):
            raise Conflict("Orders or the back office's log name it.", code="in_use")
        before = {"email": user.email, "name": user.name}
        # The plain queryset removes rows; the model's own would mark them as deleted again.
        QuerySet(User, using=DATABASE).filter(pk=user_id).delete()
        staff_change(
            DATABASE, subject=KIND, subject_id=user.public_id, action="purge", before=before
        )


def address_purge(*, address_id: int) -> None:
    """Removes one deleted address for good: an order keeps the copy it was placed with.

    Raises ``NotFound`` where no deleted address has that key.
    """
    with transaction.atomic(using=DATABASE):
        rows = Address.deleted_objects.using(DATABASE).select_for_update()
        address = rows.filter(pk=address_id).first()
        if address is None:
            raise NotFound("There is no such deleted address.")
        QuerySet(Address, using=DATABASE).filter(pk=address_id).delete()
        staff_change(
            DATABASE,
            subject="customers.address",
            subject_id=address.public_id,
            action="purge",
            before={"address": str(address)},
        )


def sessions_clear(*, most: int) -> int:
    """Removes at most ``most`` sessions that have expired; returns how many."""
    return execute(
        DATABASE,
        """
        DELETE FROM django_session WHERE session_key IN (
            SELECT session_key FROM django_session WHERE expire_date < now()
            ORDER BY expire_date LIMIT %s FOR UPDATE SKIP LOCKED
        )
        """,
        [most],
    )


def logins_clear(*, most: int) -> int:
    """Removes at most ``most`` listed logins whose session is gone; returns how many.

    One begun in the last hour stays: its session may not be stored yet.
    """
    return execute(
        DATABASE,
        """
        DELETE FROM usersessions_usersession WHERE id IN (
            SELECT u.id FROM usersessions_usersession u
            WHERE u.created_at < now() - interval '1 hour'
              AND NOT EXISTS (SELECT FROM django_session s
                              WHERE s.session_key = u.session_key AND s.expire_date >= now())
            ORDER BY u.id LIMIT %s FOR UPDATE OF u SKIP LOCKED
        )
        """,
        [most],
    )
