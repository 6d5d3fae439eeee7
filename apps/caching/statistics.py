"""What the caches of this process did, by resource."""

from dataclasses import dataclass, fields


@dataclass(slots=True)
class Statistics:
    """Counts of ids since the process began (``loads`` and ``waits``: of calls).

    Plain additions without a lock: under threads they are as exact as the interpreter lets them be.
    """

    hits: int = 0
    negative_hits: int = 0  # of "there is none"; not in hits
    misses: int = 0
    loads: int = 0  # calls of the resource's load
    loaded: int = 0  # ids asked of it
    fills: int = 0
    refused: int = 0  # not filled: changed meanwhile, or too slow
    fenced: int = 0  # loaded without filling, since a writer was at work
    waits: int = 0  # for another reader's load
    shared: int = 0  # got from another reader of this process
    refreshed: int = 0  # loaded anew before their time was over
    foreign: int = 0  # bytes of no use: forged, torn or of another form
    oversize: int = 0  # not kept for their size
    away: int = 0  # asked while Redis did not answer
    written: int = 0  # bracketed by a write
    dropped: int = 0  # by hand or by an event

    def as_dict(self) -> dict[str, int]:
        return {one.name: getattr(self, one.name) for one in fields(self)}


_of: dict[str, Statistics] = {}


def statistics_of(resource: str) -> Statistics:
    """The counters of one resource, to count on."""
    return _of.setdefault(resource, Statistics())


def all_statistics() -> dict[str, dict[str, int]]:
    """Of every resource that was used in this process, by name."""
    return {name: _of[name].as_dict() for name in sorted(_of)}
