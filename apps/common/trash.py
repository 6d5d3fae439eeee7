"""The trash: soft-deleted things of all kinds, what hangs on what, and what keeps one away."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Trashed:
    """A deleted thing; ``kind`` and ``pk`` name it."""

    kind: str
    pk: int
    name: str
    deleted_at: datetime


@dataclass(frozen=True, slots=True)
class Clash:
    """``thing`` cannot come back: ``holder`` (a living one, ``holder_pk``) has its ``value``."""

    thing: Trashed
    field: str
    value: str
    holder: str
    holder_pk: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What restoring ``thing`` means.

    ``above`` must come back with it, since it stands in them (the topmost first); ``below`` may:
    deleted things that belong to it. ``clashes`` are of all of these.
    """

    thing: Trashed
    above: tuple[Trashed, ...]
    below: tuple[Trashed, ...]
    clashes: tuple[Clash, ...]


@dataclass(frozen=True, slots=True)
class Bin:
    """One kind of thing in the trash and what its app does with it.

    ``model`` is its label (``catalog.Product``). ``newest(q, most)`` lists and counts, the latest
    deleted first. ``plan(pk)`` is None where nothing deleted has that key. ``restore(pk, below)``
    brings back what the plan says with those of ``below`` that are named, all or nothing;
    ``purge(pk)`` removes for good (None: only the scheduled clean-up does). Both raise
    ``HoldfastError``.
    """

    kind: str
    title: str
    model: str
    newest: Callable[[str, int], tuple[int, list[Trashed]]]
    plan: Callable[[int], Plan | None]
    restore: Callable[[int, Sequence[int]], None]
    purge: Callable[[int], None] | None = None
    purge_permission: str = ""
