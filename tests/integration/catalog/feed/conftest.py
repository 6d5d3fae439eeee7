import uuid

import pytest

from apps.caching.write_behind import changes, letters
from apps.caching.write_behind.connections import client


@pytest.fixture(autouse=True)
def own_buffer(settings, monkeypatch):
    """Edits of this test alone; nobody is told to flush them."""
    settings.CACHE_PREFIX = f"{settings.CACHE_PREFIX}-{uuid.uuid4().hex[:8]}"
    for module in (changes, letters):
        monkeypatch.setattr(module, "nudge", lambda *words: None)
    durable, prefix = client(), settings.CACHE_PREFIX  # a test may have another Redis
    yield
    for key in durable.scan_iter(f"{prefix}:*", count=1_000):
        durable.delete(key)
