"""The shapes of people in the API."""

from rest_framework import serializers


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


class MeSerializer(serializers.Serializer):
    """Who is logged in."""

    id = serializers.UUIDField(source="public_id")
    email = serializers.EmailField()
    name = serializers.CharField()
    is_staff = serializers.BooleanField()
    date_joined = serializers.DateTimeField()
    addresses = AddressSerializer(many=True)
