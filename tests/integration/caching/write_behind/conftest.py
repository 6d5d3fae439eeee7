import uuid
from collections.abc import Iterator

import pytest

from apps.caching.write_behind import changes, layout, letters
from apps.caching.write_behind.connections import client
from apps.common.databases import execute
from tests.integration.caching.write_behind.table import ALIAS, CREATE, Table


@pytest.fixture
def sent(monkeypatch) -> list[tuple[str, int]]:
    """The nudges that would have been sent."""
    told: list[tuple[str, int]] = []
    for module in (changes, letters):
        monkeypatch.setattr(module, "nudge", lambda *words: told.append(words))
    return told


@pytest.fixture
def table(db, sent) -> Iterator[Table]:
    execute(ALIAS, CREATE)
    one = Table(f"things-{uuid.uuid4().hex[:8]}")
    yield one
    execute(ALIAS, "DROP TABLE behind_thing")
    for key in client().scan_iter(f"{layout.base(one.buffer())}*", count=1_000):
        client().delete(key)
