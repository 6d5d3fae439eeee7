"""Writes people make on their own accounts, behind allauth's flows."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.db import transaction

from apps.customers import events
from apps.customers.enums import DATABASE
from apps.customers.locks import lock_user
from apps.customers.models import User
from apps.customers.services import refusals, sessions_of_user_end


def customer_sign_up(*, email: str, name: str, password: str) -> User:
    """A new account with a (validated) password, whose address nobody has confirmed yet.

    Raises ``EmailTaken`` or ``InvalidInput``.
    """
    with refusals(), transaction.atomic(using=DATABASE):
        user = User.objects.create_user(email, password, name=name)
        events.customers_created([user.pk], signed_up=True)
    return user


def password_choose(*, user_id: int, password: str, keep_session: str | None = None) -> User:
    """Sets a (validated) password and ends every session but the one with the key given.

    An account that had no login so far (an import) gets one; its address is not confirmed by this.
    """
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id)
        user.set_password(password)
        user.save(update_fields=["password"])
        EmailAddress.objects.using(DATABASE).get_or_create(
            user=user, email=user.email, defaults={"primary": True, "verified": False}
        )
        sessions_of_user_end(user_id=user_id, keep=keep_session)
        # The kept one is listed anew under the key it gets with the new password.
        UserSession.objects.using(DATABASE).filter(user_id=user_id).delete()
    return user


@contextmanager
def email_being_confirmed(*, user_id: int) -> Iterator[None]:
    """The transaction in which an address becomes a living customer's own.

    Raises ``EmailTaken`` if someone else has it by now, and changes nothing.
    """
    with refusals(), transaction.atomic(using=DATABASE):
        before = lock_user(user_id)
        yield
        user = lock_user(user_id)
        if user.version == before.version:  # a new address counted it up already
            user.version += 1
            user.save(update_fields=["version"])
