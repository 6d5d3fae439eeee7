"""Which requests the lane may answer: plain anonymous ones that Django answers all alike."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

# Whoever sends one of these is somebody, is asked by a page of another origin, has a condition of
# another kind or a body; ``If-None-Match`` is the one condition that the lane knows.
NOT_FOR_THE_LANE = (
    "HTTP_AUTHORIZATION",
    "HTTP_COOKIE",
    "HTTP_X_SESSION_TOKEN",
    "HTTP_ORIGIN",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD",
    "HTTP_RANGE",
    "HTTP_IF_RANGE",
    "HTTP_IF_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_IF_UNMODIFIED_SINCE",
    "HTTP_EXPECT",
    "HTTP_UPGRADE",
    "HTTP_TRANSFER_ENCODING",
    "HTTP_X_HTTP_METHOD_OVERRIDE",
    "HTTP_X_FORWARDED_HOST",
)
# What clients for JSON say; anything else is negotiated by Django.
ACCEPTED = frozenset({"*/*", "application/json", "application/json, text/plain, */*"})
NO_BODY = frozenset({"", "0"})


def is_plain(environ: dict[str, Any]) -> bool:
    """Whether nothing about the request (besides method and path) wants more than the product."""
    return (
        not environ.get("QUERY_STRING")
        and environ.keys().isdisjoint(NOT_FOR_THE_LANE)
        and environ.get("HTTP_ACCEPT", "*/*") in ACCEPTED
        and environ.get("CONTENT_LENGTH", "") in NO_BODY
        and _allowed(environ.get("HTTP_HOST", ""))
    )


def is_secure(environ: dict[str, Any]) -> bool:
    """As ``HttpRequest.is_secure``: by the proxy's word where one is believed."""
    if settings.SECURE_PROXY_SSL_HEADER:
        name, value = settings.SECURE_PROXY_SSL_HEADER
        if (said := environ.get(name)) is not None:
            return said.split(",", 1)[0].strip() == value
    return environ.get("wsgi.url_scheme") == "https"


@lru_cache(maxsize=64)
def _allowed(host: str) -> bool:
    """As ``HttpRequest.get_host`` has it; remembered, since almost all name the same one."""
    domain, _ = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
