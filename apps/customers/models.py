"""People: customers and staff alike, told apart by ``is_staff``, and their addresses."""

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import ProhibitNullCharactersValidator
from django.db import models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from safedelete.managers import SafeDeleteAllManager, SafeDeleteDeletedManager

from apps.common.ids import new_id
from apps.common.softdelete import SoftDeleteModel
from apps.customers import enums, events
from apps.customers.managers import UserManager
from apps.customers.rules import validate_country

LIVING = models.Q(deleted__isnull=True)


class User(SoftDeleteModel, AbstractBaseUser, PermissionsMixin):
    """Someone who can log in by e-mail; other apps know them by ``public_id`` only.

    An e-mail address is unique among the living, whatever its case; a deleted user's is free.
    """

    public_id = models.UUIDField("public id", unique=True, default=new_id, editable=False)
    email = models.EmailField("e-mail address", max_length=enums.EMAIL_LENGTH)
    name = models.CharField(
        max_length=enums.NAME_LENGTH, validators=[ProhibitNullCharactersValidator()]
    )
    is_active = models.BooleanField(
        "active", default=True, help_text="Unset it to shut someone out without deleting them."
    )
    is_staff = models.BooleanField("staff", default=False, help_text="May enter this back office.")
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    # Counts the changes of the account and its addresses; raw inserts start at the default too.
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    # What a restored account has again; the address itself is free meanwhile.
    email_was_verified = models.BooleanField(default=False, db_default=False, editable=False)
    buys_on_account = models.BooleanField(
        "buys on account",
        default=False,
        db_default=False,
        help_text="May order without a card; the shop sends an invoice.",
    )
    # The lists of the back office as the person filtered and named them; see saved_views.py.
    saved_views = models.JSONField(
        default=list, db_default=models.Value([], models.JSONField()), editable=False
    )

    objects = UserManager()
    all_objects = SafeDeleteAllManager()
    deleted_objects = SafeDeleteDeletedManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["name"]

    class Meta:
        ordering = ["-id"]
        permissions = [
            ("manage_staff", "Can manage staff accounts and their roles"),
            ("purge_user", "Can remove a deleted customer for good"),
            ("grant_account", "Can let a customer buy on account"),
        ]
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=LIVING,
                name="customers_email_once_among_living",
                violation_error_message="A customer with this e-mail address exists.",
                violation_error_code="email_taken",
            ),
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="customers_email_is_lower_case"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    def clean(self) -> None:
        super().clean()
        self.email = type(self).objects.normalize_email(self.email)

    def save(self, *args, **kwargs) -> None:
        """allauth saves a chosen or confirmed address by itself: also tells of that."""
        if kwargs.get("update_fields") != ["email"]:
            super().save(*args, **kwargs)
            return
        rows = User.objects.using(enums.DATABASE).filter(pk=self.pk)
        with transaction.atomic(using=enums.DATABASE):
            locked = rows.select_for_update(no_key=True)
            before = locked.values_list("email", flat=True).first()
            super().save(*args, **kwargs)
            if before != self.email:
                rows.update(version=models.F("version") + 1)
                events.customer_updated(self.pk)

    def soft_delete_policy_action(self, **kwargs):
        """Also frees the e-mail address for allauth, whoever deletes the row."""
        with transaction.atomic(using=enums.DATABASE):
            deleted = super().soft_delete_policy_action(**kwargs)
            self.emailaddress_set.using(enums.DATABASE).all().delete()
        return deleted

    @cached_property
    def has_second_factor(self) -> bool:
        """Whether a login of theirs takes a code besides the password."""
        return self.authenticator_set.using(enums.DATABASE).filter(type="totp").exists()

    @property
    def owes_second_factor(self) -> bool:
        """Staff who may do nothing before they have set up their second factor."""
        return settings.STAFF_MFA_REQUIRED and self.is_staff and not self.has_second_factor

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.partition(" ")[0]


class Address(SoftDeleteModel):
    """A postal address of a customer; at most one living one is the default."""

    public_id = models.UUIDField("public id", unique=True, default=new_id, editable=False)
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="addresses", verbose_name="customer"
    )
    name = models.CharField("addressee", max_length=enums.NAME_LENGTH)
    line1 = models.CharField("line 1", max_length=enums.LINE_LENGTH)
    line2 = models.CharField("line 2", max_length=enums.LINE_LENGTH, blank=True)
    city = models.CharField(max_length=enums.PLACE_LENGTH)
    region = models.CharField(max_length=enums.PLACE_LENGTH, blank=True)
    postal_code = models.CharField(max_length=enums.POSTAL_CODE_LENGTH, blank=True)
    country = models.CharField(
        max_length=2, validators=[validate_country], help_text="ISO 3166-1 alpha-2 code."
    )
    is_default = models.BooleanField("default", default=False)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)

    class Meta:
        verbose_name_plural = "addresses"
        ordering = ["-is_default", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=LIVING & models.Q(is_default=True),
                name="customers_one_default_address",
            ),
            models.CheckConstraint(
                condition=models.Q(country__regex=r"^[A-Z]{2}$"), name="customers_country_is_code"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.city}, {self.country}"
