"""Who acts: the member of staff behind the work at hand, if there is one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """A member of staff: ``id`` is the public id, ``name`` what people call them."""

    id: str
    name: str


Find = Callable[[], Actor | None]
_find: ContextVar[Find | None] = ContextVar("actor", default=None)


def current_actor() -> Actor | None:
    """The member of staff at work; None for customers and the machinery."""
    find = _find.get()
    return find() if find else None


@contextmanager
def acting(find: Find) -> Iterator[None]:
    """Until the block ends, ``find`` tells who acts. It is asked late: a request learns only in
    its view who sent it."""
    token = _find.set(find)
    try:
        yield
    finally:
        _find.reset(token)
