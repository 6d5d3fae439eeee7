"""Commands by key, and what the inbox keeps of their results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from apps.common.contracts import request_hash, to_builtins
from apps.common.errors import Conflict


class Command(Protocol):
    @property
    def key(self) -> str: ...


C = TypeVar("C", bound=Command)


@dataclass(frozen=True, slots=True)
class Batch(Generic[C]):
    """Commands of one batch, each key once, in the order given; ``hashes`` is for the inbox."""

    commands: Sequence[C]
    hashes: Mapping[str, str]


def by_key(consumer: str, commands: Sequence[C]) -> Batch[C]:
    """Folds repeats of the same command; raises ``Conflict`` where a key means two things."""
    first: dict[str, C] = {}
    for command in commands:
        if first.setdefault(command.key, command) != command:
            raise Conflict(f"{consumer}: {command.key} means two things", code="key_reused")
    return Batch(list(first.values()), {key: request_hash(one) for key, one in first.items()})


def stored(result: Any) -> dict[str, Any]:
    """The result as the inbox keeps it: without its key, which the inbox row has already."""
    outcome = to_builtins(result)
    del outcome["key"]
    return outcome
