"""How allauth works here."""

import dataclasses
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.headless.adapter import DefaultHeadlessAdapter
from django.http import HttpRequest

from apps.customers.models import User


class AccountAdapter(DefaultAccountAdapter):
    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Who the credentials belong to; allauth also names the inactive, to tell them so.

        The deleted are nobody, even where a row of theirs was left behind.
        """
        user = super().authenticate(request, **credentials)
        return user if user is not None and user.deleted is None else None

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


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
