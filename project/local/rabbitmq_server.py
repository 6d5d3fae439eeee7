"""A RabbitMQ node for tests, chaos and benches; the shop itself never starts one.

Debian's ``rabbitmq-server`` (3.10 or newer), but nothing of the system's service: own directory,
ports, cookie and port mapper, and no plugins. Linux and macOS.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import amqp

from project.local.errors import Trouble

# Debian's program on PATH insists on the service's account; this one does not.
DEBIAN = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
SECONDS = 90.0
CONFIG = """\
listeners.tcp.default = 127.0.0.1:{port}
vm_memory_high_watermark.absolute = 512MiB
disk_free_limit.absolute = 50MB
log.file.level = warning
raft.wal_max_size_bytes = 33554432
"""
# No waiting at full speed: it shares the machine with what it serves.
ERLANG = "+S 2:2 +A 4 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {0}"


def rabbitmq_program() -> Path | None:
    """Path of ``rabbitmq-server``; None where it is not installed."""
    if os.access(DEBIAN, os.X_OK):
        return DEBIAN
    found = shutil.which("rabbitmq-server")
    return Path(found) if found else None


class RabbitNode:
    """A node below ``directory``, which it may find again after it was killed."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.port, self._mapper_port, self._distribution_port = _free_ports(3)
        self._mapper: subprocess.Popen | None = None
        self._node: subprocess.Popen | None = None

    @property
    def pid(self) -> int:
        """Of the Erlang machine and of its process group."""
        return self._node.pid

    def url(self, vhost: str = "/") -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    def start(self) -> None:
        """Returns once clients are answered; raises ``Trouble``."""
        command, environment = self.prepare()
        self._node = self._spawn(command, os.environ | environment)
        self._wait()

    def prepare(self) -> tuple[list[str], dict[str, str]]:
        """Command and environment of the node for who runs it; raises ``Trouble``."""
        program = rabbitmq_program()
        if program is None:
            raise Trouble("rabbitmq-server is missing. Debian: sudo apt install rabbitmq-server")
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.directory / "rabbitmq.conf").write_text(CONFIG.format(port=self.port))
        (self.directory / "plugins").write_text("[].\n")
        environment = self._environment()
        if self._mapper is None:  # else the node starts one that outlives it
            command = [_epmd(), "-port", str(self._mapper_port)]
            self._mapper = self._spawn(command, os.environ | environment)
        return [str(program)], environment

    def _environment(self) -> dict[str, str]:
        here = str(self.directory)
        return {
            "HOME": here,
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "holdfast@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": f"{here}/data",
            "RABBITMQ_LOG_BASE": f"{here}/log",
            "RABBITMQ_CONFIG_FILE": f"{here}/rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": f"{here}/no-rabbitmq-env.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{here}/plugins",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG.format("{127,0,0,1}"),
        }

    def _spawn(self, command: list[str], environment: dict[str, str]) -> subprocess.Popen:
        with (self.directory / "output.log").open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=self.directory,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _wait(self) -> None:
        end = time.monotonic() + SECONDS
        while not self.answers():
            if self._node.poll() is not None or time.monotonic() > end:
                self.kill()
                tail = (self.directory / "output.log").read_text(errors="replace")[-2000:]
                raise Trouble(f"RabbitMQ did not start: {tail}")
            time.sleep(0.1)

    def answers(self) -> bool:
        """Whether a client can log in."""
        try:
            with amqp.Connection(f"127.0.0.1:{self.port}", connect_timeout=2, read_timeout=2):
                return True
        except (OSError, amqp.AMQPError):
            return False

    def kill(self) -> None:
        """kill -9 of the node; ``start`` brings it back with what it had."""
        if self._node is not None:
            _end(self._node, signal.SIGKILL)
            self._node = None

    def stop(self) -> None:
        """For good, the hard way: its directory is thrown away."""
        self.kill()
        if self._mapper is not None:
            _end(self._mapper, signal.SIGTERM)
            self._mapper = None


def _end(process: subprocess.Popen, number: int) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        pass
    process.wait(20)


def _epmd() -> str:
    found = shutil.which("epmd")
    if found is None:
        raise Trouble("epmd, a part of Erlang, is missing")
    return found


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
