"""How users are made and found: by e-mail, the living only."""

from django.contrib.auth.base_user import BaseUserManager
from django.db import transaction
from safedelete.managers import SafeDeleteManager

from apps.customers import events
from apps.customers.enums import DATABASE


class UserManager(SafeDeleteManager, BaseUserManager):
    """Sees living users; e-mail addresses are lower case here and in the database."""

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        return (email or "").strip().lower()

    def get_by_natural_key(self, email: str):
        return self.get(email=self.normalize_email(email))

    async def aget_by_natural_key(self, email: str):
        return await self.aget(email=self.normalize_email(email))

    def create_user(self, email: str, password: str | None = None, **fields):
        """A new user, of whom the caller has to tell; without ``password`` one that cannot log in.

        Raises ``ValidationError`` for a bad or taken e-mail address or a bad name.
        """
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.full_clean(exclude=["password"])
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields):
        """For ``manage.py createsuperuser``; tells of them."""
        with transaction.atomic(using=DATABASE):
            user = self.create_user(email, password, **fields, is_staff=True, is_superuser=True)
            events.customers_created([user.pk])
        return user
