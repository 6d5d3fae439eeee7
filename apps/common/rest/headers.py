"""Request headers with a meaning of their own: Idempotency-Key, Prefer, ETags."""

import hashlib
import re
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags, quote_etag
from rest_framework.response import Response

from apps.common.errors import InvalidInput
from apps.common.rest.renderers import JsonRenderer, dumps

IDEMPOTENCY_KEY = "Idempotency-Key"
MAX_KEY = 255
PRINTABLE = re.compile(r"[\x20-\x7e]+")
QUOTED = re.compile(r'"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"')
WAIT = re.compile(r'wait\s*=\s*"?(\d{1,6})"?', re.ASCII | re.IGNORECASE)
# The ETag of a thing with a version: the version, and a digest where more can change than edits.
VERSION = re.compile(r'"(\d{1,18})(?:\.[0-9a-f]{32})?"', re.ASCII)


def idempotency_key(request: HttpRequest) -> str:
    """The request's ``Idempotency-Key``: 1-255 printable ASCII characters.

    The IETF draft (07) sends a quoted string, most clients the bare key: ``"abc"`` and ``abc``
    are the same key. A missing or malformed one is a 400 naming the header.
    """
    raw = request.headers.get(IDEMPOTENCY_KEY, "").strip()
    if not raw:
        raise InvalidInput.field(
            IDEMPOTENCY_KEY, "required", "This operation needs an Idempotency-Key header."
        )
    key = raw
    if raw.startswith('"'):
        quoted = QUOTED.fullmatch(raw)
        key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else ""
    if not PRINTABLE.fullmatch(key):
        raise InvalidInput.field(
            IDEMPOTENCY_KEY, "invalid", "Must be printable ASCII, bare or as one quoted string."
        )
    if len(key) > MAX_KEY:
        raise InvalidInput.field(
            IDEMPOTENCY_KEY, "max_length", f"May have at most {MAX_KEY} characters."
        )
    return key


def prefer_wait(request: HttpRequest) -> int:
    """Seconds of ``Prefer: wait=N`` (RFC 7240), at most ``API_MAX_WAIT_SECONDS``; 0 = none.

    A preference that cannot be understood is ignored, as the RFC demands.
    """
    for preference in request.headers.get("Prefer", "").split(","):
        if match := WAIT.fullmatch(preference.partition(";")[0].strip()):
            return min(int(match[1]), settings.API_MAX_WAIT_SECONDS)
    return 0


def etag_of(data: Any, *, weak: bool = False) -> str:
    """The ETag of what ``data`` renders to; a weak one promises equal meaning, not equal bytes."""
    digest = quote_etag(_digest(data))
    return f"W/{digest}" if weak else digest


def is_fresh(request: HttpRequest, etag: str) -> bool:
    """Whether ``If-None-Match`` names ``etag``."""
    return names_etag(request.headers.get("If-None-Match", ""), etag)


def names_etag(if_none_match: str, etag: str) -> bool:
    """Whether the header names ``etag`` (compared weakly, as RFC 9110 says) or ``*``."""
    known = parse_etags(if_none_match)
    return known == ["*"] or etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in known}


def tagged(
    request: HttpRequest, data: Any, *, etag: str | None = None, cache_control: str = "no-cache"
) -> HttpResponse:
    """``data`` (or the bytes it renders to) with its ETag, or an empty 304 if the caller has it."""
    etag = etag or etag_of(data)
    headers = {"ETag": etag, "Cache-Control": cache_control}
    if request.method in ("GET", "HEAD") and is_fresh(request, etag):
        return HttpResponse(status=304, headers=headers)
    if isinstance(data, bytes):
        return HttpResponse(data, headers=headers, content_type=JsonRenderer.media_type)
    return Response(data, headers=headers, content_type=JsonRenderer.media_type)


def versioned_etag(version: int, data: Any) -> str:
    """The strong ETag of what ``data`` renders to, with the version that a write is based on."""
    return quote_etag(f"{version}.{_digest(data)}")


def _digest(data: Any) -> str:
    rendered = data if isinstance(data, bytes) else dumps(data)
    return hashlib.blake2b(rendered, digest_size=16).hexdigest()


def if_match_version(request: HttpRequest) -> int | None:
    """The version in ``If-Match: "7"`` or in an ETag of ``versioned_etag``.

    None if the header is missing or ``*``. Versions are strong tags: anything else (a list, a
    weak tag, nothing) is a 400 naming the header.
    """
    raw = request.headers.get("If-Match", "*").strip()
    if raw == "*":
        return None
    match = VERSION.fullmatch(raw)
    if match is None:
        raise InvalidInput.field("If-Match", "invalid", 'Must be one version, like "7".')
    return int(match[1])
