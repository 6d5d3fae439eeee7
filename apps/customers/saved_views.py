"""Lists of the back office that a member of staff filtered, named and kept: theirs alone."""

from django.db import transaction

from apps.common.errors import Conflict, InvalidInput
from apps.customers.enums import DATABASE
from apps.customers.locks import lock_user
from apps.customers.models import User

MOST_VIEWS, LONGEST_NAME, LONGEST_QUERY = 20, 40, 2_000


def view_save(*, user_id: int, name: str, path: str, query: str) -> None:
    """Keeps the list at ``path`` with its ``query`` under ``name``; a known name is taken over.

    Raises ``InvalidInput``, ``Conflict`` (``too_many``).
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME or "\x00" in name:
        raise InvalidInput.field("name", "invalid", f"1 to {LONGEST_NAME} characters.")
    if len(query) > LONGEST_QUERY or "\x00" in query:
        raise InvalidInput.field("query", "invalid", f"At most {LONGEST_QUERY:,} characters.")
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id)
        others = [one for one in user.saved_views if one["name"] != name]
        if len(others) >= MOST_VIEWS:
            raise Conflict(f"At most {MOST_VIEWS} views: remove one first.", code="too_many")
        _write(user, [*others, {"name": name, "path": path, "query": query}])


def view_remove(*, user_id: int, name: str) -> None:
    """Forgets the view ``name``; one that is not there is forgotten already."""
    with transaction.atomic(using=DATABASE):
        user = lock_user(user_id)
        _write(user, [one for one in user.saved_views if one["name"] != name])


def _write(user: User, views: list[dict[str, str]]) -> None:
    user.saved_views = sorted(views, key=lambda one: one["name"].casefold())
    user.save(update_fields=["saved_views"])
