"""What a new customer tells beside e-mail address and password.

In a module of its own: allauth's forms are built on it while they load.
"""

from django import forms
from django.core.validators import ProhibitNullCharactersValidator

from apps.customers import enums


class SignupDetails(forms.Form):
    """Fields of ``POST /_allauth/app/v1/auth/signup`` that allauth does not know."""

    name = forms.CharField(
        max_length=enums.NAME_LENGTH, validators=[ProhibitNullCharactersValidator()]
    )

    def signup(self, request, user) -> None:
        """allauth asks for this method; the adapter has stored the name already."""
