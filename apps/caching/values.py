"""How a value becomes the fields of a Redis hash, and what is accepted as one.

Beside the value's own fields a hash has: its stamp, its form, how long it took to load, and the
generations of its tags. Bytes that do not fit are no value: nothing is ever executed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from apps.caching.fence import STAMP, Look
from apps.caching.policies import Serializer
from apps.caching.resources import Fields, Resource

NOTHING = "_none"  # "there is none"
SECONDS = "_d"  # how long it took to load
FORM = "_f"
TAGS = "_g"
VALUE = "v"
META = frozenset({STAMP, NOTHING, SECONDS, FORM, TAGS})
CODECS = {Serializer.JSON: msgspec.json, Serializer.MSGPACK: msgspec.msgpack}


class TooLarge(ValueError):
    """A value that is not kept for its size."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A value (None: there is none) and what is known of it.

    ``stamp`` is that of its fill; empty where Redis does not keep it: then nobody else may either.
    """

    value: Any | None
    stamp: bytes = b""
    size: int = 0  # bytes of its fields
    seconds: float = 0.0  # it took to load
    left: float = 0.0  # seconds that it has yet to live
    tags: bytes = b""


NONE = Entry(None)


class Form:
    """Turns the values of one resource into fields and back."""

    def __init__(self, resource: Resource):
        self._resource = resource
        self._codec = CODECS[resource.policy.serializer]
        self._most = resource.policy.max_bytes
        self._name = f"{resource.form}{resource.policy.serializer.value[0]}"

    def fields(self, value: Any | None, token: str, seconds: float, tags: bytes) -> dict:
        """Of a value to be filled; raises ``TooLarge``."""
        if value is None:
            fields: dict[str, Any] = {NOTHING: b"1"}
        elif self._resource.encode is not None:
            fields = dict(self._resource.encode(value))
        else:
            fields = {VALUE: self._codec.encode(value)}
        if sum(map(len, fields.values())) > self._most:
            raise TooLarge(self._resource.name)
        fields |= {STAMP: token, FORM: self._name, SECONDS: f"{seconds:.4f}"}
        if tags:
            fields[TAGS] = tags
        return fields

    def kept(self, value: Any | None, fields: Fields, milliseconds: int) -> Entry:
        """The entry of ``fields`` that were filled."""
        size = sum(len(one) for name, one in fields.items() if name not in META)
        stamp, seconds = fields[STAMP].encode(), float(fields[SECONDS])
        return Entry(value, stamp, size, seconds, milliseconds / 1000, fields.get(TAGS, b""))

    def entry(self, look: Look) -> Entry:
        """What was found; raises ``ValueError`` where it is none of ours."""
        found = dict(look.fields)
        if found.pop(b"_f", b"") != self._name.encode():
            raise ValueError("another form")
        stamp, tags = found.pop(b"_s", b""), found.pop(b"_g", b"")
        seconds = float(found.pop(b"_d", b"0"))
        if b"_none" in found:
            return Entry(None, stamp, 1, seconds, look.pttl / 1000, tags)
        size = sum(map(len, found.values()))
        return Entry(self._value(found), stamp, size, seconds, look.pttl / 1000, tags)

    def _value(self, found: Mapping[bytes, bytes]) -> Any:
        if self._resource.decode is not None:
            return self._resource.decode({name.decode(): one for name, one in found.items()})
        try:
            return self._codec.decode(found[b"v"])
        except (KeyError, RecursionError) as error:
            raise ValueError("no value") from error
