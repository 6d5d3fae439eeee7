"""People in the back office: accounts and addresses. Writes go through services."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateFilter
from unfold.dataclasses import ActionDialog
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultiple

from apps.common.admin import LivingFilter, SoftDeleteAdmin, back, tell
from apps.common.errors import HoldfastError
from apps.common.transfer.admin import TransferAdmin
from apps.customers import addresses, login_admin, second_factor, selectors, services
from apps.customers.forms import AddressForm, NewUserForm, SetPasswordForm, UserForm
from apps.customers.models import Address, User
from apps.customers.permissions import (
    GRANT_ACCOUNT,
    MANAGE_STAFF,
    grantable_groups,
    may_manage,
)
from apps.customers.transfer import CustomerResource
from apps.messaging.staff_admin import History

__all__ = ["login_admin"]  # its pages are registered with these
ROLE_FIELDS = ("is_staff", "groups", "is_superuser")


class AddressInline(TabularInline):
    """A customer's living addresses, to look at; each has its own page."""

    model = Address
    fields = readonly_fields = (
        "addressee",
        "line1",
        "postal_code",
        "city",
        "country",
        "is_default",
    )
    extra = 0
    tab = True
    hide_title = True

    @display(description="addressee")
    def addressee(self, row: Address) -> str:
        page = reverse("admin:customers_address_change", args=[row.pk])
        return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', page, row.name)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    has_change_permission = has_delete_permission = has_add_permission


@admin.register(User)
class UserAdmin(History, TransferAdmin, SoftDeleteAdmin):
    resource_classes = [CustomerResource]
    form = UserForm
    list_display = ("email", "name", "kind", "state", "date_joined", "last_login")
    list_display_links = ("email", "name")
    list_filter = (
        LivingFilter,
        "is_staff",
        "is_active",
        ("date_joined", RangeDateFilter),
    )
    list_filter_submit = True
    search_fields = ("email", "name", "public_id__exact")
    ordering = ("-id",)
    readonly_fields = ("public_id", "can_log_in", "date_joined", "last_login", "deleted")
    inlines = (AddressInline,)
    actions_detail = ("set_password", "remove_second_factor", "restore")

    @display(
        description="kind", label={"Superuser": "danger", "Staff": "info", "Customer": "default"}
    )
    def kind(self, user: User) -> str:
        if user.is_superuser:
            return "Superuser"
        return "Staff" if user.is_staff else "Customer"

    @display(
        description="state", label={"Active": "success", "Shut out": "warning", "Deleted": "danger"}
    )
    def state(self, user: User) -> str:
        if user.deleted:
            return "Deleted"
        return "Active" if user.is_active else "Shut out"

    @display(description="has a password", boolean=True)
    def can_log_in(self, user: User) -> bool:
        return user.has_usable_password()

    # --- who may what ---
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or may_manage(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        if obj is None:
            return allowed
        return allowed and obj.pk != request.user.pk and may_manage(request.user, obj)

    def may_restore(self, request: HttpRequest, row: User) -> bool:
        return super().may_restore(request, row) and may_manage(request.user, row)

    def has_set_password_permission(self, request: HttpRequest, object_id: Any) -> bool:
        user = self.get_object(request, object_id)
        return user is not None and self.has_change_permission(request, user)

    def has_remove_second_factor_permission(self, request: HttpRequest, object_id: Any) -> bool:
        """One's own is changed on its own page, with a code."""
        user = self.get_object(request, object_id)
        if user is None or user.pk == request.user.pk or not user.has_second_factor:
            return False
        return self.has_change_permission(request, user)

    # --- what is shown ---
    def get_fieldsets(self, request: HttpRequest, obj: User | None = None):
        roles = ["is_staff", "groups"] if request.user.has_perm(MANAGE_STAFF) else []
        if request.user.is_superuser:
            roles.append("is_superuser")
        if obj is None:
            sections = [(None, {"fields": ["email", "name", "password"]})]
        else:
            facts = ["public_id", "can_log_in", "date_joined", "last_login"]
            facts += ["deleted"] if obj.deleted else []
            seen = ["seen_version"] if self.has_change_permission(request, obj) else []
            credit = ["buys_on_account"] if request.user.has_perm(GRANT_ACCOUNT) else []
            sections = [
                (None, {"fields": ["email", "name", "is_active", *credit, *seen]}),
                ("Facts", {"fields": facts}),
            ]
        return sections + ([("Back office", {"fields": roles})] if roles else [])

    def get_form(self, request: HttpRequest, obj: User | None = None, **kwargs: Any):
        return super().get_form(request, obj, form=UserForm if obj else NewUserForm, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: User | None):
        return self.inlines if obj else ()

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **kwargs: Any):
        if db_field.name == "groups":
            kwargs["queryset"] = grantable_groups(request.user)
            kwargs["widget"] = UnfoldAdminCheckboxSelectMultiple()
            kwargs["help_text"] = "Roles: each brings its permissions."
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    # --- what is written ---
    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        given = form.cleaned_data
        if change:
            changes = {name: given[name] for name in form.changed_data if name != "seen_version"}
            # A form without its version was not made by this page: no account is at version 0.
            seen = given["seen_version"] or 0
            services.customer_update(user_id=obj.pk, changes=changes, version=seen)
            return
        created = services.customer_create(
            email=given["email"],
            name=given["name"],
            password=given["password"] or None,
            roles={name: given[name] for name in ROLE_FIELDS if name in given},
        )
        obj.pk, obj.public_id, obj._state.adding = created.pk, created.public_id, False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The services have written the groups too; the inlines only show."""
        for formset in formsets:
            self.save_formset(request, form, formset, change=change)

    def delete_row(self, request: HttpRequest, row: User) -> None:
        services.customer_delete(user_id=row.pk)

    def restore_row(self, request: HttpRequest, row: User) -> None:
        services.customer_restore(user_id=row.pk)

    @action(
        description="Set password",
        icon="key",
        permissions=["set_password"],
        dialog=ActionDialog(
            title="Set a new password",
            description="It ends all of this person's logins.",
            form_class=SetPasswordForm,
            form_submit_text="Set password",
        ),
    )
    def set_password(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        user = services.customer_set_password(
            user_id=int(object_id), password=form.cleaned_data["password"]
        )
        self.log_change(request, user, "Set a new password.")
        self.message_user(request, f"{user} has a new password.", messages.SUCCESS)
        return back(self, request, object_id)

    @action(
        description="Remove second factor",
        icon="phonelink_erase",
        permissions=["remove_second_factor"],
        dialog=ActionDialog(
            title="Remove the second factor?",
            description="For someone whose phone and recovery codes are lost. It ends all of their"
            " logins; make sure that it is them who asks.",
            form_class=None,
            form_submit_text="Remove second factor",
        ),
    )
    def remove_second_factor(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        user = self.get_object(request, object_id)
        try:
            second_factor.second_factor_remove(user_id=user.pk)
        except HoldfastError as error:
            tell(self, request, error)
        else:
            self.log_change(request, user, "Removed the second factor.")
            self.message_user(request, f"{user} has no second factor now.", messages.SUCCESS)
        return back(self, request, object_id)


@admin.register(Address)
class AddressAdmin(History, SoftDeleteAdmin):
    form = AddressForm
    list_display = ("name", "user", "line1", "postal_code", "city", "country", "is_default")
    list_filter = (LivingFilter, "is_default", "country")
    list_select_related = ("user",)
    search_fields = ("name", "user__email", "line1", "city", "postal_code", "public_id__exact")
    ordering = ("-id",)
    autocomplete_fields = ("user",)
    readonly_fields = ("public_id", "is_default")
    actions_detail = ("make_default", "restore")

    def get_readonly_fields(self, request: HttpRequest, obj: Address | None = None):
        return (*self.readonly_fields, "user") if obj else self.readonly_fields

    def get_fields(self, request: HttpRequest, obj: Address | None = None):
        facts = ["is_default", "public_id"] if obj else []
        seen = ["seen_version"] if obj and self.has_change_permission(request, obj) else []
        return [*AddressForm.Meta.fields, *facts, *seen]

    def has_make_default_permission(self, request: HttpRequest, object_id: Any) -> bool:
        row = self.get_object(request, object_id)
        if row is None or row.is_default:
            return False
        return self.has_change_permission(request, row)

    def save_model(self, request: HttpRequest, obj: Address, form: Any, change: bool) -> None:
        address = selectors.to_contract(obj)
        if change:
            seen = form.cleaned_data["seen_version"] or 0
            addresses.address_update(address_id=obj.pk, address=address, version=seen)
            return
        created = addresses.address_create(user_id=obj.user_id, address=address)
        obj.pk, obj.public_id, obj._state.adding = created.pk, created.public_id, False

    def delete_row(self, request: HttpRequest, row: Address) -> None:
        addresses.address_delete(address_id=row.pk)

    def restore_row(self, request: HttpRequest, row: Address) -> None:
        addresses.address_restore(address_id=row.pk)

    @action(
        description="Make default",
        icon="home_pin",
        permissions=["make_default"],
        dialog=ActionDialog(
            title="Make this the default address?",
            description="The present default stays as an ordinary address.",
            form_class=None,
            form_submit_text="Make default",
        ),
    )
    def make_default(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        row = addresses.address_make_default(address_id=int(object_id))
        self.log_change(request, row, "Made the default.")
        self.message_user(request, f"{row} is the default now.", messages.SUCCESS)
        return back(self, request, object_id)
