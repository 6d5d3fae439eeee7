"""The ways to read and write a resource; which one serves it is in its policy.

``strategy("catalog.product")`` is the one door: its ``get``, ``get_many``, ``writing`` and ``drop``
are the same for all four.
"""

from apps.caching.resources import find_resource
from apps.caching.strategies.base import CacheStrategy

__all__ = ["CacheStrategy", "strategy"]


def strategy(name: str) -> CacheStrategy:
    """The strategy that serves the resource, as declared or overridden."""
    return CacheStrategy(find_resource(name))
