"""Streams of a test's own."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from apps.common.redis import durable


@pytest.fixture
def own_streams(settings) -> Iterator[str]:
    """The prefix of this test's streams, which are gone afterwards."""
    settings.EVENTS_URL = settings.QUEUE_REDIS_URL
    settings.EVENTS_PREFIX = f"test-{uuid4().hex[:12]}"
    yield settings.EVENTS_PREFIX
    if keys := list(durable().scan_iter(f"{settings.EVENTS_PREFIX}:*")):
        durable().delete(*keys)
