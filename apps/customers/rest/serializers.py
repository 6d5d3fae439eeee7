"""The shapes of people in the API."""

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from apps.common.rest.fields import BooleanField, CountryField, StringField
from apps.common.rest.serializers import StrictSerializer
from apps.customers import enums

HOME = {
    "name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "line2": "",
    "city": "London",
    "region": "",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "is_default": True,
}
HOME_OUTPUT = {"id": "019aa1c5-7c1e-7d52-8f2a-3f5d6a1b2c3d", **HOME, "version": 1}


@extend_schema_serializer(examples=[OpenApiExample("Home", HOME_OUTPUT, response_only=True)])
class AddressSerializer(serializers.Serializer):
    """A postal address of the customer's; ``country`` is an ISO 3166-1 alpha-2 code."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    line1 = serializers.CharField()
    line2 = serializers.CharField()
    city = serializers.CharField()
    region = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.RegexField(r"^[A-Z]{2}$")
    is_default = serializers.BooleanField()
    version = serializers.IntegerField(min_value=1, help_text="Counts the changes; the ETag.")


@extend_schema_serializer(examples=[OpenApiExample("Home", HOME, request_only=True)])
class AddressInput(StrictSerializer):
    """A postal address."""

    name = StringField(max_length=enums.NAME_LENGTH, help_text="The addressee.")
    line1 = StringField(max_length=enums.LINE_LENGTH)
    line2 = StringField(max_length=enums.LINE_LENGTH, allow_blank=True, required=False, default="")
    city = StringField(max_length=enums.PLACE_LENGTH)
    region = StringField(
        max_length=enums.PLACE_LENGTH, allow_blank=True, required=False, default=""
    )
    postal_code = StringField(
        max_length=enums.POSTAL_CODE_LENGTH, allow_blank=True, required=False, default=""
    )
    country = CountryField(help_text="ISO 3166-1 alpha-2.")
    is_default = BooleanField(
        required=False,
        help_text="Whether this is the one default address. Left out: as it is; my first one is.",
    )


@extend_schema_serializer(
    examples=[OpenApiExample("Make it the default", {"is_default": True}, request_only=True)]
)
class AddressChange(StrictSerializer):
    """The fields to change."""

    name = StringField(max_length=enums.NAME_LENGTH, required=False)
    line1 = StringField(max_length=enums.LINE_LENGTH, required=False)
    line2 = StringField(max_length=enums.LINE_LENGTH, allow_blank=True, required=False)
    city = StringField(max_length=enums.PLACE_LENGTH, required=False)
    region = StringField(max_length=enums.PLACE_LENGTH, allow_blank=True, required=False)
    postal_code = StringField(max_length=enums.POSTAL_CODE_LENGTH, allow_blank=True, required=False)
    country = CountryField(required=False)
    is_default = BooleanField(required=False)


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "Ada",
            {
                "id": "019aa1c5-5b0a-7cc3-98c4-dc0c0c07398f",
                "email": "ada@example.com",
                "name": "Ada Lovelace",
                "is_staff": False,
                "date_joined": "2026-11-20T09:30:00Z",
                "version": 2,
                "addresses": [HOME_OUTPUT],
            },
            response_only=True,
        )
    ]
)
class MeSerializer(serializers.Serializer):
    """Who is logged in."""

    id = serializers.UUIDField(source="public_id")
    email = serializers.EmailField()
    name = serializers.CharField()
    is_staff = serializers.BooleanField()
    date_joined = serializers.DateTimeField()
    version = serializers.IntegerField(
        min_value=1, help_text="Counts the changes of my profile and my addresses; the ETag."
    )
    addresses = AddressSerializer(many=True)


@extend_schema_serializer(
    examples=[OpenApiExample("A new name", {"name": "Ada King"}, request_only=True)]
)
class MeChange(StrictSerializer):
    """What I may change here.

    The e-mail address is changed under ``/_allauth/app/v1/account/email``: it must be confirmed.
    """

    name = StringField(max_length=enums.NAME_LENGTH, required=False)


class Nothing(StrictSerializer):
    """No body, or an empty object."""
