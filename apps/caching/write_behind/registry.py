"""The buffers that apps have declared, registered by ``project/wiring.py``."""

from collections.abc import Iterable

from apps.caching.write_behind.contracts import Buffer

_buffers: dict[str, Buffer] = {}


def register_buffers(buffers: Iterable[Buffer]) -> None:
    """Makes ``buffers`` known; raises ``ValueError`` for a name twice."""
    for one in buffers:
        if _buffers.setdefault(one.name, one) != one:
            raise ValueError(f"buffer {one.name} is declared twice")


def find_buffer(name: str) -> Buffer:
    """Raises ``KeyError`` where nobody declared it."""
    return _buffers[name]


def all_buffers() -> list[Buffer]:
    """All that are registered, by name."""
    return [_buffers[name] for name in sorted(_buffers)]
