"""Second factors of staff: a code from an authenticator app, or one of ten for the day it is lost.

allauth keeps and checks them; customers set theirs up through its API.
"""

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.db import transaction
from django.db.models import QuerySet

from apps.customers.enums import DATABASE
from apps.customers.errors import SecondFactorExists, SecondFactorMissing
from apps.customers.locks import lock_user
from apps.customers.services import sessions_of_user_end
from apps.messaging.staff_log import staff_change

SUBJECT = "customers.user"


def second_factor_activate(
    *, user_id: int, secret: str, keep_session: str | None = None
) -> list[str]:
    """Makes ``secret`` (base32, proven by a code) the user's second factor; the recovery codes.

    Other logins, made with the password alone, end. Raises ``SecondFactorExists``.
    """
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id)
        if _authenticators(user_id).exists():
            raise SecondFactorExists()
        TOTP.activate(user, secret)
        codes = RecoveryCodes.activate(user).get_unused_codes()
        sessions_of_user_end(user_id=user_id, keep=keep_session)
        _note(user.public_id, "set_up_second_factor")
    return codes


def recovery_codes_renew(*, user_id: int) -> list[str]:
    """Ten new recovery codes; the old ones end. Raises ``SecondFactorMissing``."""
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id)
        if not _authenticators(user_id).filter(type=Authenticator.Type.TOTP).exists():
            raise SecondFactorMissing()
        _authenticators(user_id).filter(type=Authenticator.Type.RECOVERY_CODES).delete()
        codes = RecoveryCodes.activate(user).get_unused_codes()
        _note(user.public_id, "renew_recovery_codes")
    return codes


def recovery_codes_left(*, user_id: int) -> int:
    """How many recovery codes have not been used."""
    row = _authenticators(user_id).filter(type=Authenticator.Type.RECOVERY_CODES).first()
    return len(row.wrap().get_unused_codes()) if row else 0


def second_factor_remove(*, user_id: int) -> None:
    """Takes the second factor away, for instance when the phone is lost; all logins end.

    Raises ``SecondFactorMissing``.
    """
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id)
        removed, _ = _authenticators(user_id).delete()
        if not removed:
            raise SecondFactorMissing()
        sessions_of_user_end(user_id=user_id)
        _note(user.public_id, "remove_second_factor")


def _authenticators(user_id: int) -> QuerySet[Authenticator]:
    return Authenticator.objects.using(DATABASE).filter(user_id=user_id)


def _note(public_id, action: str) -> None:
    staff_change(DATABASE, subject=SUBJECT, subject_id=public_id, action=action)
