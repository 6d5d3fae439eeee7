"""The ways to read and write a resource; which one serves it is in its policy.

``strategy("catalog.product")`` is the one door: its ``get``, ``get_many``, ``tagged``, ``writing``
and ``drop`` are the same for all four.
"""

import os
from typing import Any

from django.conf import settings

from apps.caching.resources import find_resource
from apps.caching.strategies.base import CacheStrategy
from apps.caching.strategies.kinds import KINDS

__all__ = ["CacheStrategy", "strategy"]

_made: dict[str, tuple[Any, CacheStrategy]] = {}


def strategy(name: str) -> CacheStrategy:
    """The strategy that serves the resource, as declared or overridden."""
    resource, override = find_resource(name), settings.CACHE_POLICIES.get(name)
    found = _made.get(name)
    if found is None or found[0] != override or found[1].resource is not resource:
        made = KINDS[resource.policy.strategy](resource)
        found = _made[name] = (override, made)
    return found[1]


# The parent's threads, for which others would wait, are not here.
os.register_at_fork(after_in_child=_made.clear)
