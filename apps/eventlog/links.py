"""Where the ids in the log lead: pages of rooms above, which they register."""

from collections.abc import Callable
from typing import Any

_pages: dict[str, tuple[str, Callable[[str], str]]] = {}


def register(column: str, permission: str, page: Callable[[str], str]) -> None:
    """What stands in ``column`` (``order_id``, ``customer_id``) has a page that those who have
    ``permission`` may see."""
    _pages[column] = permission, page


def link_of(column: str, value: str | None, user: Any) -> str:
    """The address of the thing; "" where there is none, or not for this person."""
    permission, page = _pages.get(column, ("", None))
    if not value or page is None or not user.has_perm(permission):
        return ""
    return page(value)
