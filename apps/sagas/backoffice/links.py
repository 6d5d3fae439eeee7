"""Where a run leads: the page of what it is about, told by the room above that knows it."""

from collections.abc import Callable
from typing import Any

from django.urls import reverse

from apps.sagas.models import SagaRun

# The id of what a run is about, from its business key and data.
Subject = Callable[[str, dict[str, Any]], str]
_pages: dict[str, tuple[str, str, Subject]] = {}


def register(
    kind: str, page: str, permission: str, subject: Subject = lambda key, data: key
) -> None:
    """Runs of ``kind`` are about something with a ``page`` (the name of its URL) that those who
    have ``permission`` may see."""
    _pages[kind] = page, permission, subject


def link_of(run: SagaRun, user: Any) -> str:
    """The address of what the run is about; "" if the person may not see it."""
    page, permission, subject = _pages.get(run.kind, ("", "", str))
    if not page or not user.has_perm(permission):
        return ""
    return reverse(page, args=[subject(run.business_key, run.data)])
