"""What is cached: each app declares its resources once (``apps/<app>/caches.py``)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.caching.policies import Policy, Strategy
from apps.caching.write_behind.contracts import Buffer, Pending

Fields = Mapping[str, bytes]  # a value as Redis keeps it: a hash


class Provisional(dict):
    """What there is for the moment: to be served, not to be kept."""


@dataclass(frozen=True, slots=True)
class Resource:
    """``load`` reads from the primary database what there is of these ids (others: there is none);
    ``encode`` and ``decode`` turn a value into a hash of bytes and back, and are left out where the
    policy's serializer does it. A change of the form wants another ``name`` or ``form``.

    ``decode`` raises ``ValueError`` for bytes that are none of its own: that is a miss.

    ``load`` returns a ``Provisional`` where something it needs does not answer: that is not kept.

    ``buffer`` and ``merge`` are for write-behind: where edits wait, and how they are laid over what
    was loaded (None: there is no row).
    """

    name: str
    load: Callable[[Sequence[str]], Mapping[str, Any]]
    declared: Policy
    encode: Callable[[Any], Fields] | None = None
    decode: Callable[[Fields], Any] | None = None
    form: int = 1
    buffer: Buffer | None = None
    merge: Callable[[Any | None, Pending], Any | None] | None = None

    @property
    def policy(self) -> Policy:
        """As declared, with what ``settings.CACHE_POLICIES[name]`` says in its place."""
        return self.declared.overridden(settings.CACHE_POLICIES.get(self.name, {}))


_resources: dict[str, Resource] = {}


def register_resources(resources: Iterable[Resource]) -> None:
    """Makes ``resources`` known; raises ``ValueError`` for a name twice or a bad policy."""
    for one in resources:
        if _resources.setdefault(one.name, one) != one:
            raise ValueError(f"resource {one.name} is declared twice")
        behind = one.policy.strategy is Strategy.WRITE_BEHIND  # a bad override stops the start
        if behind and (one.buffer is None or one.merge is None):
            raise ValueError(f"resource {one.name} has nowhere to write behind")


def find_resource(name: str) -> Resource:
    return _resources[name]


def all_resources() -> list[Resource]:
    """All that are registered, by name."""
    return [_resources[name] for name in sorted(_resources)]
