"""Chunked request bodies: WSGI frameworks see them as empty unless their length is made known."""

import io
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

Application = Callable[[dict[str, Any], Callable], Iterable[bytes]]


def body_limit(path: str) -> int:
    """How many bytes the body of a request to ``path`` may have."""
    return settings.API_BODY_LIMITS.get(path, settings.API_MAX_BODY_BYTES)


def with_chunked_bodies(application: Application) -> Application:
    """Reads a chunked body before ``application`` runs, at most one byte beyond its limit.

    The one byte more makes ``ApiGuard`` answer 413 without the rest ever being read.
    """

    def bounded(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            limit = body_limit(environ.get("PATH_INFO", ""))
            body = _read(environ["wsgi.input"], limit + 1)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return application(environ, start_response)

    return bounded


def _read(stream: Any, most: int) -> bytes:
    parts: list[bytes] = []
    while most > 0 and (part := stream.read(min(most, 65_536))):
        parts.append(part)
        most -= len(part)
    return b"".join(parts)
