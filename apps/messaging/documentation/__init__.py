"""``docs/events.md`` and ``docs/schemas/``, made from the contracts and groups registered here."""

from apps.messaging.documentation.examples import example
from apps.messaging.documentation.generating import document
from apps.messaging.documentation.schemas import schema

__all__ = ["document", "example", "schema"]
