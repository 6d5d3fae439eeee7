"""Permissions beyond the default, which is: logged in, or 401."""

from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated

__all__ = ["IsStaff", "LoggedIn", "PermissionsByMethod", "Public", "staff_with"]

LoggedIn = IsAuthenticated


class Public(AllowAny):
    """Open to everybody. Name it on purpose: a test lists every address that is public."""


class IsStaff(BasePermission):
    """Members of the staff, with the second factor they owe."""

    def has_permission(self, request, view) -> bool:
        user = request.user
        return bool(user and user.is_active and user.is_staff and not user.owes_second_factor)


def staff_with(*codenames: str) -> type[IsStaff]:
    """Staff holding all of the Django permissions, e.g. ``staff_with("catalog.adjust_stock")``."""

    class StaffWith(IsStaff):
        def has_permission(self, request, view) -> bool:
            return super().has_permission(request, view) and request.user.has_perms(codenames)

    return StaffWith


class PermissionsByMethod:
    """Mix into a view whose methods are not for the same people: ``permissions = {"GET": …}``.

    HEAD is as GET; methods the view does not have are as the first one named.
    """

    permissions: dict[str, type[BasePermission]] = {}

    def get_permissions(self) -> list[BasePermission]:
        method = "GET" if self.request.method == "HEAD" else self.request.method
        chosen = self.permissions.get(method) or next(iter(self.permissions.values()))
        return [chosen()]
