"""The back office's forms about people."""

from allauth.account.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.internal.flows import check_rate_limit
from allauth.mfa.totp.internal.auth import validate_totp_code
from django import forms
from django.contrib.auth.password_validation import (
    password_validators_help_text_html,
    validate_password,
)
from unfold.forms import AuthenticationForm, BaseDialogForm
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.customers.models import Address, User
from apps.customers.rules import country_choices


class StaffLoginForm(AuthenticationForm):
    """The admin's login, under the same limits on failed attempts as the API's."""

    def clean(self):
        email = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if email and password:
            adapter = get_adapter(self.request)
            user = adapter.authenticate(self.request, email=email, password=password)
            # Whoever may not enter learns no more than who has a wrong password.
            if user is None or not user.is_active:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(user)
            self.user_cache = user
        return self.cleaned_data


def code_field(label: str) -> forms.CharField:
    """A field for a code from an authenticator app."""
    attrs = {"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}
    return forms.CharField(
        label=label, max_length=20, widget=UnfoldAdminTextInputWidget(attrs=attrs)
    )


class CodeForm(AuthenticateForm):
    """The second step of a login: a code of the app, or a recovery code. Attempts are limited."""

    code = code_field("Code")


class SecondFactorForm(forms.Form):
    """Proves that the authenticator app holds ``secret``; late in a session the password, too."""

    password = forms.CharField(
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "current-password"}),
    )
    code = code_field("Code the app shows")

    def __init__(self, *args, user: User, secret: str, ask_password: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.user, self.secret = user, secret
        if not ask_password:
            del self.fields["password"]

    def clean(self):
        cleaned = super().clean()
        if self.errors:
            return cleaned
        passed = check_rate_limit(self.user, error_key="rate_limited")
        if "password" in self.fields and not self.user.check_password(cleaned["password"]):
            self.add_error("password", "This is not your password.")
        elif not validate_totp_code(self.secret, cleaned["code"]):
            self.add_error("code", "This is not the code of this moment.")
        else:
            passed()
        return cleaned


def password_field(**kwargs) -> forms.CharField:
    """A field for a new password."""
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
    return forms.CharField(strip=False, widget=widget, **kwargs)


class VersionedForm(forms.ModelForm):
    """``seen_version`` is the one the person saw: an edit of anything newer is refused."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "seen_version" in self.fields:  # not where it is only looked at
            self.fields["seen_version"].initial = self.instance.version


class UserForm(VersionedForm):
    """An account; the admin decides which of the fields a person sees."""

    class Meta:
        model = User
        fields = (
            *("email", "name", "is_active", "buys_on_account", "is_staff", "groups"),
            "is_superuser",
        )

    def clean_email(self) -> str:
        """Django leaves the partial unique constraint out, for ``deleted`` is not on the form."""
        email = User.objects.normalize_email(self.cleaned_data["email"])
        if User.objects.filter(email=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("A customer with this e-mail address exists.")
        return email


class NewUserForm(UserForm):
    password = password_field(
        required=False, help_text="Leave it empty for a customer who cannot log in (yet)."
    )

    def clean(self):
        cleaned = super().clean()
        password = cleaned.get("password")
        if password:
            person = User(email=cleaned.get("email") or "", name=cleaned.get("name") or "")
            try:
                validate_password(password, person)
            except forms.ValidationError as error:
                self.add_error("password", error)
        elif cleaned.get("is_staff"):
            self.add_error("password", "Staff need a password.")
        return cleaned


class SetPasswordForm(BaseDialogForm):
    """The dialog that gives someone a new password."""

    password = password_field(label="New password", help_text=password_validators_help_text_html())

    def clean_password(self) -> str:
        password = self.cleaned_data["password"]
        validate_password(password, User.objects.filter(pk=self.object_id).first())
        return password


class AddressForm(VersionedForm):
    country = forms.ChoiceField(
        choices=lambda: [("", "Select a country"), *country_choices()],
        widget=UnfoldAdminSelectWidget(),
    )

    class Meta:
        model = Address
        fields = ("user", "name", "line1", "line2", "city", "region", "postal_code", "country")
