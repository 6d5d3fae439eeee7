"""What all strategies share: reading under leases, writing between two invalidations."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from apps.caching import writing
from apps.caching.flights import Turns
from apps.caching.keys import Key, tag
from apps.caching.resources import Resource
from apps.caching.statistics import statistics_of
from apps.caching.strategies.reading import Load, Reading
from apps.caching.values import Entry, Form


class CacheStrategy:
    """Reads and writes one resource. Redis away: slower, never wrong, never an error.

    ``load``, where a reader gives it, takes ids and returns what there is of them; what it returns
    and what the cache gives back are equal where the resource's encoding keeps them so.
    """

    def __init__(self, resource: Resource):
        self.resource = resource
        self.policy = resource.policy
        self.form = Form(resource)
        self.statistics = statistics_of(resource.name)
        self.turns = Turns()

    # --- reading ---------------------------------------------------------------------------------

    def get(self, one: str, load: Load | None = None) -> Any | None:
        """The value, from the cache or loaded; None where there is none."""
        return self.entries([one], load)[one].value

    def get_many(self, ids: Sequence[str], load: Load | None = None) -> dict[str, Any | None]:
        """The values of all ``ids``: one look at Redis, one load of all that it does not have."""
        found = self.entries(ids, load)
        return {one: found[one].value for one in ids}

    def entries(self, ids: Sequence[str], load: Load | None = None) -> Mapping[str, Entry]:
        """The same with what is known of each: its stamp, for whoever keeps a copy of it."""
        return self._read(ids, self.loader(load), ())

    def tagged(self, tags: Sequence[str]) -> "Tagged":
        """Reads values that hold for as long as none of ``tags`` is written to."""
        return Tagged(self, tags)

    def _read(self, ids: Sequence[str], load: Load, tags: Sequence[Key]) -> Mapping[str, Entry]:
        if not ids:
            return {}
        reading = Reading(self, load, tags)
        reading.read([Key(self.resource.name, one) for one in dict.fromkeys(ids)])
        return reading.found

    def loader(self, load: Load | None) -> Load:
        """What loads: the resource, whatever a reader offers."""
        return self.resource.load

    # --- writing ---------------------------------------------------------------------------------

    @contextmanager
    def writing(self, alias: str, ids: Sequence[str], tags: Sequence[str] = ()) -> Iterator[None]:
        """Brackets a write to the rows behind ``ids``, and behind values under ``tags``, inside or
        around a transaction on ``alias``: before its COMMIT readers stop filling, after it the
        values are gone everywhere. Raises ``Unavailable`` where the resource is strict and Redis
        away."""
        with writing.writing(
            alias, self._keys(ids, tags), strict=self.policy.strict, after=self._after(ids)
        ):
            yield

    def fence_off(self, alias: str, ids: Sequence[str], tags: Sequence[str] = ()) -> None:
        """The same for the rest of the transaction that ``alias`` is in."""
        writing.fence_off(
            alias, self._keys(ids, tags), strict=self.policy.strict, after=self._after(ids)
        )

    def drop(self, ids: Sequence[str], tags: Sequence[str] = ()) -> None:
        """Invalidates by hand, or on an event: of values whose writes are committed already.
        Raises ``Unavailable`` where Redis is away (it is tried again all the same)."""
        writing.drop(self._keys(ids, tags))

    def _keys(self, ids: Sequence[str], tags: Sequence[str]) -> list[Key]:
        name = self.resource.name
        return [Key(name, one) for one in dict.fromkeys(ids)] + [tag(one) for one in tags]

    def _after(self, ids: Sequence[str]) -> Callable[[], None] | None:
        """What to do when a write of ``ids`` is committed and the values are gone."""
        return None


class Tagged:
    """Values that depend on more than what they are named by, e.g. pages of a list."""

    def __init__(self, strategy: CacheStrategy, tags: Sequence[str]):
        self._strategy = strategy
        self._tags = [tag(one) for one in sorted(set(tags))]

    def get(self, one: str, load: Callable[[], Any] | None = None) -> Any | None:
        """The value of that name, else what ``load()`` gives (or the resource)."""
        return self.entry(one, load).value

    def entry(self, one: str, load: Callable[[], Any] | None = None) -> Entry:
        """The same with its stamp; whoever keeps a copy has to look at the tags himself."""
        given = self._strategy.loader(None) if load is None else lambda ids: {one: load()}
        return self._strategy._read([one], given, self._tags)[one]
