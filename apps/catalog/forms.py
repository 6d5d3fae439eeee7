"""The back office's forms about products and stock."""

from typing import Any

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from apps.catalog.checks import CATEGORY, PRODUCT, check
from apps.catalog.models import Category, Product
from apps.catalog.naming import slug_of
from apps.catalog.stock.moving import MAX_PIECES
from apps.common.errors import InvalidInput
from apps.common.ids import new_id


class CheckedForm(forms.ModelForm):
    """Puts what the service would refuse next to the field it is about."""

    rules: dict[str, Any] = {}
    unique: tuple[str, ...] = ()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        try:
            check(self.rules, {name: cleaned[name] for name in self.rules if name in cleaned})
        except InvalidInput as error:
            for one in error.errors:
                self.add_error(one.field, one.detail)
        for name in self.unique:
            if name in cleaned and self._is_taken(name, cleaned[name]):
                self.add_error(name, f"A living {self.instance._meta.verbose_name} has this.")
        return cleaned

    def _is_taken(self, name: str, value: str) -> bool:
        others = type(self.instance).objects.exclude(pk=self.instance.pk)
        return others.filter(**{name: value}).exists()


class ProductForm(CheckedForm):
    """``seen_version`` is the one the person saw: an edit of anything newer is refused."""

    rules, unique = PRODUCT, ("sku", "slug")
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Product
        fields = (
            "name",
            "sku",
            "slug",
            "description",
            "price",
            "active",
            "category",
            "attributes",
        )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = "Left empty, it is made of name and SKU."
            self.fields["seen_version"].initial = self.instance.version

    def clean_attributes(self) -> Any:
        # JSONField calls an empty object an empty value, and that None.
        return self.cleaned_data["attributes"] or {}

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if not cleaned.get("slug") and cleaned.get("name") and cleaned.get("sku"):
            cleaned["slug"] = slug_of(cleaned["name"], cleaned["sku"])
        return super().clean()


class CategoryForm(CheckedForm):
    """``seen_version`` as with products."""

    rules, unique = CATEGORY, ("slug",)
    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = Category
        fields = ("name", "slug", "parent")

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        if "seen_version" in self.fields:
            self.fields["seen_version"].initial = self.instance.version


class AdjustStockForm(BaseDialogForm):
    """The dialog that corrects a count; ``key`` makes a double click one correction."""

    delta = forms.IntegerField(
        label="Change",
        min_value=-MAX_PIECES,
        max_value=MAX_PIECES,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Pieces found (10) or missing (-3).",
    )
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget)
    key = forms.UUIDField(initial=new_id, widget=forms.HiddenInput)

    def clean_delta(self) -> int:
        if not self.cleaned_data["delta"]:
            raise forms.ValidationError("A change of zero pieces changes nothing.")
        return self.cleaned_data["delta"]
