"""JSON schemas (2020-12) of events: the envelope with the payload of one contract."""

import json
from dataclasses import is_dataclass
from datetime import datetime
from typing import Any, get_type_hints

from apps.common.contracts import json_schema
from apps.messaging.contracts import Envelope, EventContract
from apps.messaging.documentation.fields import item_of, meanings_of, prose_of, without_none

TIME = {"format": "date-time"}
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(contract: EventContract) -> dict[str, Any]:
    """What a message with this event looks like; unknown fields may come and mean nothing."""
    told = _described(contract.payload)
    envelope = json_schema(Envelope)["$defs"][Envelope.__name__]
    properties = envelope["properties"] | {
        "topic": {"const": contract.topic},
        "aggregate": {"type": "string", "pattern": f"^{contract.aggregate_kind}:"},
        "aggregate_version": {"type": "integer", "minimum": 1},
        "occurred_at": {"type": "string"} | TIME,
        "schema_version": {"const": contract.version},
        "payload": {"$ref": f"#/$defs/{contract.payload.__name__}"},
    }
    return {
        "$schema": DIALECT,
        "title": f"{contract.topic} v{contract.version}",
        "description": contract.summary,
        "type": "object",
        "properties": properties,
        "required": envelope["required"],
        "$defs": told,
    }


def as_text(value: dict[str, Any]) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _described(payload: type) -> dict[str, Any]:
    """The definitions of a payload and what it holds, with their meanings."""
    definitions = json_schema(payload)["$defs"]
    for kind in _kinds(payload):
        definition = definitions[kind.__name__]
        definition.pop("description", None)
        if prose := prose_of(kind):
            definition["description"] = prose
        properties = definition["properties"]
        for name, hint in get_type_hints(kind).items():
            if without_none(hint)[0] is datetime:
                properties[name] |= TIME
        for name, meaning in meanings_of(kind).items():
            properties[name] = properties[name] | {"description": meaning}
    return definitions


def _kinds(payload: type) -> list[type]:
    """The dataclass and those that it holds."""
    found = [payload]
    for hint in get_type_hints(payload).values():
        inner, _ = item_of(without_none(hint)[0])
        if is_dataclass(inner):
            found += _kinds(inner)
    return found
