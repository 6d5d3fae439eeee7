"""The one family of errors; ``apps.common.rest`` turns each into an RFC 9457 problem document."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field, e.g. ``FieldError("lines[0].quantity", "min_value", "…")``."""

    field: str
    code: str
    detail: str


class HoldfastError(Exception):
    """Base of every error a caller may see.

    ``code`` is stable and machine-readable, ``status`` the HTTP status it maps to, ``retryable``
    whether the same request may succeed later, ``extra`` further members of the problem document.
    """

    code = "error"
    status = 500
    retryable = False
    title = "Something went wrong"

    def __init__(
        self, detail: str = "", *, code: str = "", errors: Sequence[FieldError] = (), **extra
    ):
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or self.code
        self.errors = tuple(errors)
        self.extra = extra


class InvalidInput(HoldfastError):
    """The request is understood but its values are not acceptable."""

    code, status, title = "invalid", 400, "The request has invalid values"

    @classmethod
    def field(cls, field: str, code: str, detail: str) -> "InvalidInput":
        """The error for a single field."""
        return cls(errors=[FieldError(field, code, detail)])


class NotFound(HoldfastError):
    code, status, title = "not_found", 404, "Not found"


class Conflict(HoldfastError):
    """The state of the thing does not allow it; re-read and decide again."""

    code, status, title = "conflict", 409, "The state does not allow this"


class VersionConflict(Conflict):
    code, title = "version_conflict", "Changed meanwhile"


class InvalidTransition(Conflict):
    code, title = "invalid_transition", "This step is not allowed in the present state"


class Unavailable(HoldfastError):
    """A part that is needed does not answer."""

    code, status, retryable, title = "unavailable", 503, True, "Temporarily unavailable"
