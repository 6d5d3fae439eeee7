"""Public identifiers."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): unique, and sorted by the time it was made."""
    return uuid_utils.compat.uuid7()
