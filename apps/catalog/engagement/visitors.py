"""Who looked: as little of it as the figures need, and nothing that leads back to a person.

Redis gets keyed hashes only. A list of what somebody saw is kept for customers and for clients that
name their visitor themselves; an address with a browser may be many people, so it is counted (under
another hash each day) and never remembered.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

HEADER = "X-Visitor-ID"
LONGEST = 64
SANE = re.compile(rf"[A-Za-z0-9._~-]{{1,{LONGEST}}}", re.ASCII)
# Programs that say so; previews and prefetches are no looks either.
ROBOT = re.compile(r"bot\b|bot/|crawl|spider|slurp|preview|facebookexternalhit|monitor", re.I)


class Visitor(NamedTuple):
    """What a request says of who looks, not yet worked on: that is for another thread."""

    customer: UUID | None = None
    given: str | None = None
    address: str = ""
    agent: str = ""
    purpose: str = ""

    @property
    def counts(self) -> bool:
        """Whether this is somebody who looks, rather than a program."""
        return "prefetch" not in self.purpose.lower() and not _is_robot(self.agent)

    @property
    def list_name(self) -> str | None:
        """The name of this visitor's list of what was seen; None where none is kept. ``c…`` are
        customers, ``v…`` visitors that their clients name."""
        if self.customer is not None:
            return "c" + _hashed(self.customer.bytes)
        if self.given is not None and SANE.fullmatch(self.given):
            return "v" + _hashed(self.given.encode())
        return None

    def counted_as(self, day: int) -> str:
        """By whom visitors are told apart on a day (days since 1970)."""
        return self.list_name or "a" + _hashed(f"{day}|{self.address}|{self.agent}".encode())


def visitor_of(meta: Mapping[str, Any], customer: UUID | None = None) -> Visitor:
    """Of a request's ``META`` (or WSGI environment), and the customer who is logged in."""
    get = meta.get
    given = get("HTTP_X_VISITOR_ID")
    return Visitor(
        customer,
        given[: LONGEST + 1] if given is not None else None,
        _address(meta)[:64],
        get("HTTP_USER_AGENT", "")[:300],
        (get("HTTP_SEC_PURPOSE", "") or get("HTTP_PURPOSE", ""))[:64],
    )


def _address(meta: Mapping[str, Any]) -> str:
    """The caller's, past the proxies that are trusted (as request limits have it)."""
    proxies = settings.REST_FRAMEWORK["NUM_PROXIES"]
    forwarded = meta.get("HTTP_X_FORWARDED_FOR")
    if not proxies or not forwarded:
        return meta.get("REMOTE_ADDR", "")
    addresses = forwarded.split(",")
    return addresses[-min(proxies, len(addresses))].strip()


@lru_cache(maxsize=2_000)
def _is_robot(agent: str) -> bool:
    return ROBOT.search(agent) is not None


def _hashed(what: bytes) -> str:
    key = settings.SECRET_KEY.encode()[:64]
    return blake2b(what, key=key, digest_size=12, person=b"visitor").hexdigest()
