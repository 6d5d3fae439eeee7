"""How what is kept in Redis is named."""

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Key:
    """One cached thing: ``id`` of ``resource`` (``catalog.product``), or a tag's name.

    Its Redis keys share a hash tag, so that one script may touch all of them: ``value`` (a hash of
    bytes, or a tag's generation), ``lease`` (who fills it) and ``writers`` (a sorted set of the
    transactions at work on it, by the time their entry ends).
    """

    resource: str
    id: str

    @property
    def base(self) -> str:
        return f"{settings.CACHE_PREFIX}:{{{self.resource}:{self.id}}}"

    @property
    def value(self) -> str:
        return f"{self.base}:v"

    @property
    def lease(self) -> str:
        return f"{self.base}:l"

    @property
    def writers(self) -> str:
        return f"{self.base}:w"

    @property
    def all(self) -> tuple[str, str, str]:
        """``value, lease, writers``: the order in which the scripts take them."""
        base = self.base
        return f"{base}:v", f"{base}:l", f"{base}:w"

    @property
    def name(self) -> str:
        """What is pushed to the in-process caches when it changes."""
        return f"{self.resource}:{self.id}"


def named(name: str) -> Key:
    """The key of that ``Key.name``."""
    resource, _, one = name.partition(":")
    return Key(resource, one)


def tag(name: str) -> Key:
    """The key of a tag, e.g. ``catalog.products.names``: its value is a random generation."""
    return Key("tag", name)
