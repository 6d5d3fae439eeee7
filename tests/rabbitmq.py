"""One RabbitMQ node for the whole run, shared by its workers; it ends with the last of them.

The node belongs to a process of its own (this module) that waits for a lock which every worker
holds for as long as it lives, so that no node outlives a run that was killed.
"""

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from project.local.places import ROOT
from project.local.rabbitmq_server import RabbitNode, rabbitmq_program
from tests.processes import eventually

MISSING = "rabbitmq-server is not installed (Debian: apt install rabbitmq-server)"


@pytest.fixture(scope="session")
def rabbitmq_installed() -> None:
    if rabbitmq_program() is None:
        pytest.skip(MISSING)


@pytest.fixture(scope="session")
def rabbitmq_url(tmp_path_factory, worker_id, rabbitmq_installed) -> Iterator[str]:
    """``amqp://`` URL of the node; tests tell themselves apart by ``EVENTS_PREFIX``."""
    base = tmp_path_factory.getbasetemp()
    directory = (base if worker_id == "master" else base.parent) / "rabbitmq"
    directory.mkdir(exist_ok=True)
    with locked(directory / "users", fcntl.LOCK_SH):
        with locked(directory / "start", fcntl.LOCK_EX):
            if not (directory / "url").exists():
                start(directory)
        yield (directory / "url").read_text()


def start(directory: Path) -> None:
    with (directory / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.rabbitmq", str(directory)],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    eventually(lambda: (directory / "url").exists() or keeper.poll() is not None, seconds=100)
    assert (directory / "url").exists(), (directory / "keeper.log").read_text()[-3000:]


def keep(directory: Path) -> None:
    """Runs a node until nobody holds the lock of its users."""
    node = RabbitNode(directory / "node")
    node.start()
    try:
        draft = directory / "draft"
        draft.write_text(node.url())
        draft.rename(directory / "url")
        with locked(directory / "users", fcntl.LOCK_EX):
            (directory / "url").unlink()  # whoever comes now starts another
            node.stop()
    finally:
        node.stop()


@contextmanager
def locked(path: Path, kind: int) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, kind)
        yield


if __name__ == "__main__":
    keep(Path(sys.argv[1]))
