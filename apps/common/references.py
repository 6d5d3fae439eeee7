"""Who still refers to a thing: lower apps ask, upper ones answer, ``project/wiring.py`` connects.

A foreign id in another database is a plain column, so no foreign key keeps the thing it names.
"""

from collections.abc import Callable, Collection
from uuid import UUID

Finder = Callable[[Collection[UUID]], set[UUID]]
_finders: dict[str, list[Finder]] = {}


def register(kind: str, finder: Finder) -> None:
    """``finder`` returns those of the given ids of ``kind`` that something refers to."""
    known = _finders.setdefault(kind, [])
    if finder not in known:
        known.append(finder)


def referred(kind: str, ids: Collection[UUID]) -> set[UUID]:
    """Those of ``ids`` that must stay.

    Raises ``LookupError`` where nobody answers for ``kind``: then nobody knows, and all must stay.
    """
    if kind not in _finders:
        raise LookupError(f"nobody knows what refers to {kind}")
    return {one for finder in _finders[kind] for one in finder(ids)} if ids else set()
