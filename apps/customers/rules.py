"""What a customer's e-mail address, name and postal address must look like."""

from dataclasses import fields

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django_countries import countries

from apps.common.errors import FieldError, InvalidInput
from apps.customers import enums
from apps.customers.contracts import Address
from apps.customers.managers import UserManager

ADDRESS_LENGTHS = {
    "name": enums.NAME_LENGTH,
    "line1": enums.LINE_LENGTH,
    "line2": enums.LINE_LENGTH,
    "city": enums.PLACE_LENGTH,
    "region": enums.PLACE_LENGTH,
    "postal_code": enums.POSTAL_CODE_LENGTH,
}
REQUIRED = frozenset({"name", "line1", "city", "country"})


def country_choices() -> list[tuple[str, str]]:
    """ISO 3166-1 alpha-2 codes with English names, by name."""
    return [(country.code, country.name) for country in countries]


def validate_country(code: str) -> None:
    """Model validator: ``code`` is an ISO 3166-1 alpha-2 code in capitals."""
    if code not in countries.countries:
        raise ValidationError("Enter an ISO 3166-1 alpha-2 country code.", code="country")


def check_text(field: str, value: str, longest: int, *, required: bool) -> list[FieldError]:
    """The errors of a line of text."""
    if required and not value:
        return [FieldError(field, "required", "This must not be empty.")]
    if len(value) > longest:
        return [FieldError(field, "max_length", f"At most {longest} characters.")]
    if not value.isprintable():
        return [FieldError(field, "unprintable", "Control characters are not allowed.")]
    return []


def check_email(field: str, value: str) -> list[FieldError]:
    """The errors of a normalised e-mail address."""
    try:
        validate_email(value)
    except ValidationError:
        return [FieldError(field, "email", "Enter a valid e-mail address.")]
    if len(value) > enums.EMAIL_LENGTH:
        return [FieldError(field, "max_length", f"At most {enums.EMAIL_LENGTH} characters.")]
    return []


def clean_email(value: str, field: str = "email") -> tuple[str, list[FieldError]]:
    """The address as it is stored, and what is wrong with it."""
    email = UserManager.normalize_email(value)
    return email, check_email(field, email)


def clean_address(address: Address, prefix: str = "") -> tuple[Address, list[FieldError]]:
    """``address`` trimmed and with its country in capitals, and what is wrong with it."""
    values = {field.name: getattr(address, field.name).strip() for field in fields(Address)}
    values["country"] = values["country"].upper()
    errors = [
        error
        for name, longest in ADDRESS_LENGTHS.items()
        for error in check_text(prefix + name, values[name], longest, required=name in REQUIRED)
    ]
    if values["country"] not in countries.countries:
        errors.append(
            FieldError(f"{prefix}country", "country", "Use an ISO 3166-1 alpha-2 country code.")
        )
    return Address(**values), errors


def refuse(errors: list[FieldError]) -> None:
    """Raises ``InvalidInput`` if there are any errors."""
    if errors:
        raise InvalidInput(errors=errors)
