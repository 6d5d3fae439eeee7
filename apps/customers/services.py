"""Writes on accounts: each one local transaction."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from apps.common.errors import FieldError, InvalidInput
from apps.customers import events
from apps.customers.addresses import address_create
from apps.customers.contracts import Address, Login
from apps.customers.enums import DATABASE
from apps.customers.errors import CustomerNotFound, EmailTaken
from apps.customers.locks import lock_user
from apps.customers.models import User
from apps.messaging.staff_log import differing, staff_change

SUBJECT = "customers.user"
EMAIL_CONSTRAINT = "customers_email_once_among_living"
LOGIN_CONSTRAINT = "unique_verified_email"
OWN_COLUMNS = frozenset(
    {"email", "name", "is_active", "is_staff", "is_superuser", "buys_on_account"}
)
ROLES = frozenset({"groups", "user_permissions"})


@contextmanager
def refusals() -> Iterator[None]:
    """Turns a model's and the database's refusals into errors a caller may see."""
    try:
        yield
    except ValidationError as error:
        found = error.error_dict
        if any(item.code == "email_taken" for item in found.get(NON_FIELD_ERRORS, [])):
            raise EmailTaken() from error
        raise InvalidInput(
            errors=[
                FieldError(field, item.code or "invalid", " ".join(item.messages))
                for field, items in found.items()
                for item in items
            ]
        ) from error
    except IntegrityError as error:
        if EMAIL_CONSTRAINT in str(error) or LOGIN_CONSTRAINT in str(
            error
        ):  # another transaction was faster
            raise EmailTaken() from error
        raise


def customer_create(
    *, email: str, name: str, password: str | None = None, roles: Mapping[str, Any] | None = None
) -> User:
    """A new account; without a password one that cannot log in.

    ``roles`` may hold ``is_active``, ``is_staff``, ``is_superuser``, ``groups`` and
    ``user_permissions``. Raises ``EmailTaken`` or ``InvalidInput``.
    """
    given = dict(roles or {})
    many = {field: given.pop(field) for field in ROLES & given.keys()}
    with refusals(), transaction.atomic(using=DATABASE):
        user = User.objects.create_user(email, password, name=name, **given)
        _set_roles(user, many)
        if password is not None:
            _claim_email(user, verified=True)
        events.customers_created([user.pk])
        shown = {"email": user.email, "name": user.name, **given, **_named(many)}
        staff_change(
            DATABASE, subject=SUBJECT, subject_id=user.public_id, action="create", after=shown
        )
    return user


def customer_update(
    *, user_id: int, changes: Mapping[str, Any], version: int | None = None
) -> User:
    """Writes just the fields in ``changes``; a new e-mail address must be verified anew.

    With ``version`` only if the account still has that one, else ``VersionConflict``.
    """
    columns = sorted(OWN_COLUMNS & changes.keys())
    many = {field: changes[field] for field in ROLES & changes.keys()}
    with refusals(), transaction.atomic(using=DATABASE):
        user = lock_user(user_id, version=version)
        before = {column: getattr(user, column) for column in columns}
        before |= {field: list(getattr(user, field).all()) for field in many}
        for column in columns:
            setattr(user, column, changes[column])
        user.full_clean(exclude=["password"])
        if changes:
            user.version += 1
            user.save(update_fields=[*columns, "version"])
        _set_roles(user, many)
        if any(getattr(user, column) != before[column] for column in events.TOLD & before.keys()):
            events.customer_updated(user.pk)
        after = {column: getattr(user, column) for column in columns} | many
        was, became = differing(_named(before), _named(after))
        if became:
            _note(user, "change", before=was, after=became)
        if "email" in before and user.email != before["email"]:
            _free_email(user)
            _claim_email(user, verified=False)
        if not user.is_active:
            _end_sessions(user)
    return user


def customer_set_password(*, user_id: int, password: str, email_verified: bool = False) -> User:
    """Sets a (validated) password and ends every session begun with the old one.

    A first one claims the e-mail address; ``email_verified`` says that it needs no confirmation.
    """
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id)
        had_login = user.has_usable_password()
        user.set_password(password)
        user.save(update_fields=["password"])
        if not had_login:
            _claim_email(user, verified=email_verified)
        _end_sessions(user)
        _note(user, "set_password")
    return user


def customer_delete(*, user_id: int) -> None:
    """Soft-deletes an account: its sessions end, its e-mail address is free for someone else.

    Deleting a deleted one changes nothing.
    """
    with transaction.atomic(using=DATABASE):
        everyone = User.all_objects.using(DATABASE)
        user = everyone.select_for_update(no_key=True).filter(pk=user_id).first()
        if user is None:
            raise CustomerNotFound()
        if user.deleted is None:
            user.email_was_verified = _addresses(user).filter(verified=True).exists()
            user.version += 1
            user.save(update_fields=["email_was_verified", "version"])
            user.delete()  # frees the e-mail address, too
            events.customer_deleted(user.pk)
            _end_sessions(user)
            _note(user, "delete", before={"email": user.email, "name": user.name})


def customer_restore(*, user_id: int) -> User:
    """Brings a deleted account back and claims its e-mail address again.

    Raises ``EmailTaken`` if someone living has the address by now, and changes nothing.
    """
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id, deleted=True)
        try:
            with transaction.atomic(using=DATABASE):
                user.undelete()
                user.version += 1
                user.save(update_fields=["version"])
                events.customer_restored(user.pk)
                if user.has_usable_password():
                    _claim_email(user, verified=user.email_was_verified)
        except IntegrityError as error:
            raise EmailTaken(
                f"{user.email} belongs to another customer by now; change that one's address"
                " or delete it first"
            ) from error
        _note(user, "restore", after={"email": user.email, "name": user.name})
    return user


def login_create(
    *, email: str, name: str, password: str, staff: bool, address: Address | None = None
) -> Login:
    """Someone with this e-mail address who can log in; ``staff`` rules the whole back office.

    An existing login is kept as it is. An imported customer without a password gets this one.
    """
    normalised = User.objects.normalize_email(email)
    roles = {"is_staff": True, "is_superuser": True} if staff else {}
    with transaction.atomic(using=DATABASE):
        known = User.objects.using(DATABASE).select_for_update().filter(email=normalised).first()
        if known is not None and (known.has_usable_password() or staff):
            if staff and not known.is_staff:
                raise EmailTaken(f"{normalised} belongs to a customer")
            return Login(known.public_id, known.email, created=False)
        if known is not None:
            user = customer_set_password(user_id=known.pk, password=password, email_verified=True)
        else:
            user = customer_create(email=email, name=name, password=password, roles=roles)
            if address is not None:
                address_create(user_id=user.pk, address=address)
    return Login(user.public_id, user.email, created=True)


def sessions_end(*, session_ids: Iterable[int]) -> int:
    """Ends these logins (ids of allauth's user sessions); returns how many there were."""
    with transaction.atomic(using=DATABASE):
        sessions = UserSession.objects.using(DATABASE).filter(pk__in=list(session_ids))
        for user in User.all_objects.using(DATABASE).filter(usersession__in=sessions).distinct():
            _note(user, "end_logins")
        return _end(sessions)


def sessions_of_user_end(*, user_id: int, keep: str | None = None) -> int:
    """Ends the user's logins, all but the one whose session has the key ``keep``."""
    with transaction.atomic(using=DATABASE):
        sessions = UserSession.objects.using(DATABASE).filter(user_id=user_id)
        return _end(sessions.exclude(session_key=keep) if keep else sessions)


def _set_roles(user: User, roles: Mapping[str, Any]) -> None:
    for field, values in roles.items():
        getattr(user, field).set(values)


def _note(user: User, action: str, **values: Any) -> None:
    staff_change(DATABASE, subject=SUBJECT, subject_id=user.public_id, action=action, **values)


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` for people: groups and permissions by name."""
    return {
        field: sorted(map(str, value)) if field in ROLES else value
        for field, value in values.items()
    }


def _addresses(user: User) -> QuerySet[EmailAddress]:
    return EmailAddress.objects.using(DATABASE).filter(user=user)


def _claim_email(user: User, *, verified: bool) -> None:
    EmailAddress.objects.using(DATABASE).get_or_create(
        user=user, email=user.email, defaults={"primary": True, "verified": verified}
    )


def _free_email(user: User) -> None:
    _addresses(user).delete()


def _end_sessions(user: User) -> None:
    sessions_of_user_end(user_id=user.pk)


def _end(sessions: QuerySet[UserSession]) -> int:
    store = import_module(settings.SESSION_ENGINE).SessionStore
    rows = list(sessions.order_by("pk"))
    for session in rows:
        store(session.session_key).delete()
    sessions.filter(pk__in=[session.pk for session in rows]).delete()
    return len(rows)
