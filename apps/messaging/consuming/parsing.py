"""From a message's bytes to an event, or to the reason why there is none."""

from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b
from uuid import UUID

import msgspec
from django.conf import settings

from apps.common.contracts import decoder
from apps.common.storing import text_of_error
from apps.messaging.contracts import Envelope, EventContract, Received, find_contract
from apps.messaging.groups import ConsumerGroup

_envelope = decoder(Envelope)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that no handler can be given. ``event_id`` is its own where it has one, else made
    of its bytes, so that the same bytes are the same dead letter."""

    event_id: UUID
    topic: str
    headers: dict[str, str]
    reason: str
    error: str


def parse(group: ConsumerGroup, body: bytes) -> Received | Unreadable | None:
    """What ``body`` says to ``group``; None where it is none of the group's own."""
    most = settings.EVENT_MAX_BYTES
    if len(body) > most:
        return _unreadable(body, "too_large", f"{len(body):,} bytes, at most {most:,}")
    try:
        envelope = _envelope.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        return _unreadable(body, "unparseable", text_of_error(error))
    if not group.wants(envelope.topic) or not group.is_meant(envelope.headers):
        return None
    payload = envelope.payload
    if not group.raw:
        contract = find_contract(envelope.topic, envelope.schema_version)
        if contract is None:
            known = f"{envelope.topic} v{envelope.schema_version} is not known here"
            return _of_envelope(envelope, "unknown_schema", known)
        try:
            payload = _payload_decoder(contract).decode(payload)
        except Exception as error:  # noqa: BLE001 - whatever it raises, it is the payload's fault
            return _of_envelope(envelope, "invalid_payload", text_of_error(error))
    return Received(
        envelope.event_id,
        envelope.topic,
        envelope.aggregate,
        envelope.aggregate_version,
        envelope.schema_version,
        envelope.occurred_at,
        payload,
        envelope.headers,
    )


@cache
def _payload_decoder(contract: EventContract) -> msgspec.json.Decoder:
    return decoder(contract.payload)


def _of_envelope(envelope: Envelope, reason: str, error: str) -> Unreadable:
    return Unreadable(envelope.event_id, envelope.topic, envelope.headers, reason, error)


@dataclass(frozen=True, slots=True)
class _Label:
    """What can be read of a message that is no proper one."""

    event_id: UUID | None = None
    topic: str = ""
    headers: dict[str, str] = field(default_factory=dict)


_label = decoder(_Label)


def event_id_of(body: bytes) -> UUID:
    """The id in ``body``; where it says none, one made of its bytes."""
    return _unreadable(body, "", "").event_id


def _unreadable(body: bytes, reason: str, error: str) -> Unreadable:
    try:
        label = _label.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        label = _Label()
    event_id = label.event_id or UUID(bytes=blake2b(body, digest_size=16).digest())
    return Unreadable(event_id, label.topic, label.headers, reason, error)
