"""How allauth works here: writes go through the services, codes are mailed, secrets are sealed."""

import base64
import dataclasses
import hashlib
from http import HTTPStatus
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.headless.adapter import DefaultHeadlessAdapter
from allauth.headless.base.response import ConflictResponse
from allauth.headless.internal.restkit.response import APIResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.forms import BaseForm, ValidationError
from django.http import HttpRequest

from apps.customers import accounts
from apps.customers.errors import EmailTaken
from apps.customers.models import User
from apps.customers.rules import clean_email

log = structlog.get_logger(__name__)

# Without these a person cannot go on; the other mails only tell what has happened.
NEEDED_MAILS = frozenset(
    {
        "account/email/account_already_exists",
        "account/email/email_confirmation",
        "account/email/email_confirmation_signup",
        "account/email/password_reset_code",
    }
)


class AccountAdapter(DefaultAccountAdapter):
    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Who the credentials belong to; allauth also names the inactive, to tell them so.

        The deleted are nobody, even where a row of theirs was left behind.
        """
        user = super().authenticate(request, **credentials)
        return user if user is not None and user.deleted is None else None

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return settings.SIGNUP_OPEN

    def clean_email(self, email: str) -> str:
        """The address as it is stored."""
        email, errors = clean_email(email)
        if errors:
            raise ValidationError(errors[0].detail, code=errors[0].code)
        return email

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        data = form.cleaned_data
        try:
            return accounts.customer_sign_up(
                email=data["email"], name=data["name"], password=data["password"]
            )
        except EmailTaken as error:  # by a sign-up that was faster
            raise ImmediateHttpResponse(ConflictResponse(request)) from error

    def set_password(self, user: User, password: str) -> None:
        """A new password ends every other session, wherever it is."""
        request = self.request
        mine = request.user.is_authenticated and request.user.pk == user.pk
        keep = request.session.session_key if mine else None
        changed = accounts.password_choose(user_id=user.pk, password=password, keep_session=keep)
        user.password = changed.password

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        try:
            with accounts.email_being_confirmed(user_id=email_address.user_id):
                if not super().confirm_email(request, email_address):
                    raise EmailTaken()
        except EmailTaken as error:
            raise ImmediateHttpResponse(ConflictResponse(request)) from error
        return True

    def send_account_already_exists_mail(self, email: str) -> None:
        self.send_mail("account/email/account_already_exists", email, {})

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        try:
            super().send_mail(template_prefix, email, context)
        except OSError as error:  # what the mail server says, too
            log.error("mail_not_sent", mail=template_prefix, reason=type(error).__name__)
            if template_prefix in NEEDED_MAILS:
                answer = APIResponse(self.request, status=HTTPStatus.SERVICE_UNAVAILABLE)
                raise ImmediateHttpResponse(answer) from error


@dataclasses.dataclass
class SessionUser:
    """The user as the login and session endpoints show them: public id, never the serial."""

    id: str
    display: str
    email: str
    has_usable_password: bool


class HeadlessAdapter(DefaultHeadlessAdapter):
    def get_user_dataclass(self) -> type[SessionUser]:
        return SessionUser

    def user_as_dataclass(self, user: User) -> SessionUser:
        return SessionUser(
            id=str(user.public_id),
            display=user.name,
            email=user.email,
            has_usable_password=user.has_usable_password(),
        )


class SecondFactorAdapter(DefaultMFAAdapter):
    """Seals secrets under ``SECRET_KEY``: a copy of the database does not hold second factors."""

    def encrypt(self, text: str) -> str:
        return _seal().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _seal().decrypt(encrypted_text.encode()).decode()


def _seal() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"holdfast.second-factor:" + key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
