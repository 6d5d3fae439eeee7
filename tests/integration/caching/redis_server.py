"""A Redis of the test's own, which may be paused, killed and started again."""

import signal
import subprocess
from pathlib import Path

import redis

from project.local.programs import redis_program
from tests.processes import eventually


class RedisServer:
    def __init__(self, directory: Path):
        directory.mkdir(parents=True, exist_ok=True)
        self.socket = directory / "s"
        self.url = f"unix://{self.socket}?db=0"
        self._process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        command = [str(redis_program()), "--port", "0", "--unixsocket", str(self.socket)]
        self._process = subprocess.Popen(
            [*command, "--save", "", "--dir", str(self.socket.parent)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        eventually(self.answers, every=0.01)

    def answers(self) -> bool:
        try:
            return self.client().ping()
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url, socket_timeout=1.0)

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
