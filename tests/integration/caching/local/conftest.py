"""A Redis of the test's own, and an in-process cache that listens to it."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import redis

from apps.caching.fence import STAMP, Fence, new_token
from apps.caching.keys import Key
from apps.caching.local.listener import Listener
from apps.caching.local.store import LocalCache
from apps.caching.policies import Local
from project.local.programs import redis_program
from tests.processes import eventually

ONE = Key("thing", "1")


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[tuple[subprocess.Popen, str]]:
    """A redis-server that may be stopped and killed; its process and its URL."""
    path = str(tmp_path_factory.mktemp("redis") / "s")
    command = [str(redis_program()), "--port", "0", "--unixsocket", path, "--save", ""]
    with open(os.devnull, "wb") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=nowhere)
    client = redis.Redis(unix_socket_path=path)
    eventually(lambda: os.path.exists(path) and client.ping())
    yield process, f"unix://{path}"
    process.kill()
    process.wait()


@dataclass
class Held:
    """A cache, who listens for it, and clients of the same Redis."""

    url: str
    cache: LocalCache
    reader: redis.Redis  # what the listener and the fillers use
    client: redis.Redis = field(init=False)
    listener: Listener = field(init=False)

    def __post_init__(self):
        self.client = redis.Redis.from_url(self.url)
        self.listener = Listener(self.reader, [self.cache])

    def keep(self, key: Key, value: str, stamp: bytes) -> None:
        """Puts a value into Redis, as a fill does."""
        self.client.hset(key.value, mapping={"v": value, STAMP: stamp})

    def fill(self, key: Key = ONE) -> str | None:
        """What Redis has, kept in the process."""
        place = self.cache.begin(key.name)
        try:
            value, stamp = self.reader.hmget(key.value, "v", STAMP)
            if value is not None:
                proof = self.listener.proof
                self.cache.complete(key, place, value, stamp=stamp, size=1, proof=proof)
            return value
        finally:
            self.cache.abandon(key, place)

    def change(self, key: Key = ONE) -> None:
        """Both phases of a write."""
        fence, token = Fence(self.client), new_token()
        fence.begin([key], token)
        fence.end([key], token)

    def serves(self, key: Key = ONE) -> bool:
        return self.cache.get(key.name) is not None

    def listening(self) -> None:
        """Returns once the channel is proven."""
        self.keep(Key("thing", "probe"), "x", b"0")

        def probe() -> bool:
            self.fill(Key("thing", "probe"))
            return self.serves(Key("thing", "probe"))

        eventually(probe, every=0.01)


@pytest.fixture
def held(server) -> Iterator[Held]:
    _, url = server
    reader = redis.Redis.from_url(url, socket_timeout=0.1, socket_connect_timeout=0.1)
    one = Held(url, LocalCache(Local(entries=2_000)), reader)
    one.client.flushall()
    one.listener.start()
    one.listening()
    yield one
    one.listener.stop()
