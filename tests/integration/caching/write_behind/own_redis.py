"""A Redis of a test's own, with a file, that may die."""

import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from apps.caching.write_behind import connections
from project.local.programs import redis_program
from tests.processes import eventually


class OwnRedis:
    """``fsync`` is what its file is synced by: ``always`` or ``everysec``."""

    def __init__(self, directory: Path, fsync: str):
        self.directory, self.fsync = directory, fsync
        self.socket = directory / "redis.sock"
        self.url = f"unix://{self.socket}"
        self.file = directory / "appendonly.aof"
        self.start()

    def start(self) -> None:
        words = (
            *("--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.directory)),
            *("--save", "", "--appendonly", "yes", "--appendfsync", self.fsync),
        )
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen([str(redis_program()), *words], stdout=log)
        eventually(self.answers)
        connections._breaker.cache_clear()

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=1) as client:
                return client.ping()
        except redis.RedisError:
            return False

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        connections._breaker.cache_clear()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def cut(self, size: int) -> None:
        """Its file loses whatever came after its first ``size`` bytes."""
        with self.file.open("r+b") as file:
            file.truncate(size)


@pytest.fixture
def own_redis(settings, request) -> Iterator[OwnRedis]:
    """The durable Redis of this test; ``parametrize`` it indirectly for another ``fsync``."""
    directory = Path(tempfile.mkdtemp())  # a socket's name is short
    one = OwnRedis(directory, getattr(request, "param", "always"))
    settings.QUEUE_REDIS_URL = one.url
    yield one
    one.kill()
    shutil.rmtree(directory)
