"""Feeds, flushers, drains and direct writers on the same few rows, all at once."""

import threading

import pytest
from django.db import connections

from apps.caching.write_behind import Version, backlog, drain, flush, flush_now, pending, put
from apps.common.databases import fetch_one
from tests.integration.caching.write_behind.conftest import sent, table  # noqa: F401 - fixtures
from tests.integration.caching.write_behind.table import ALIAS, change

pytestmark = pytest.mark.django_db(transaction=True, databases=["catalog"])
KEYS = [f"k{number}" for number in range(6)]


class Crowd:
    """Threads that repeat their work until one of them is done or fails."""

    def __init__(self):
        self.over = threading.Event()
        self.errors: list[BaseException] = []
        self.threads: list[threading.Thread] = []

    def add(self, work, times: int = 0) -> None:
        self.threads.append(threading.Thread(target=self._run, args=(work, times)))

    def _run(self, work, times: int) -> None:
        done = 0
        try:
            while not self.over.is_set() and (not times or done < times):
                work(done)
                done += 1
        except BaseException as error:  # noqa: BLE001 - the test shows it
            self.errors.append(error)
        finally:
            if times:
                self.over.set()
            connections.close_all()

    def run(self) -> None:
        for thread in self.threads:
            thread.start()
        for thread in self.threads:
            thread.join(30)
        assert self.errors == []


def test_after_a_drain_the_database_has_the_newest_values_and_versions_never_regress(table):  # noqa: F811
    buffer = table.buffer(shards=2)
    newest: dict[str, str] = {}
    seen: dict[str, tuple[int, int]] = {}

    def write(number: int) -> None:
        key = KEYS[number % len(KEYS)]
        [answer] = put(buffer, [change(key, a=str(number))])
        assert isinstance(answer, Version)
        newest[key] = str(number)

    def look(number: int) -> None:
        for key, version in table.versions().items():
            assert version >= seen.get(key, (0, 0))
            seen[key] = version

    crowd = Crowd()
    crowd.add(write, times=400)
    for shard in (0, 1, 0, 1):
        crowd.add(lambda number, shard=shard: flush(buffer, shard))
    crowd.add(lambda number: drain(buffer, KEYS[:3]))
    crowd.add(look)
    crowd.run()
    drain(buffer, KEYS)
    assert table.rows() == {key: (value, None) for key, value in newest.items()}
    assert pending(buffer, KEYS) == {}
    assert backlog(buffer).keys == 0


def test_whoever_drains_first_is_not_overwritten_by_what_was_pending(table):  # noqa: F811
    buffer = table.buffer(shards=1)
    lost: list[str] = []

    def write_directly(number: int) -> None:
        put(buffer, [change("k", a=f"feed {number}")])
        drain(buffer, ["k"])
        fetch_one(ALIAS, "UPDATE behind_thing SET b = %s WHERE key = 'k' RETURNING 1", [number])
        found = table.rows()["k"]
        if found != (f"feed {number}", str(number)):
            lost.append(str(found))

    crowd = Crowd()
    crowd.add(write_directly, times=15)
    for _ in range(2):
        crowd.add(lambda number: flush(buffer, 0))
    crowd.run()
    flush_now(buffer)
    assert lost == []
    assert table.rows() == {"k": ("feed 14", "14")}
