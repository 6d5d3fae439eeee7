"""The supervisor with real processes."""

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from project.local import ownership
from project.local.places import ROOT, Places
from tests.processes import eventually

SCRIPT = Path(__file__).with_name("script.py")
# Writes its process number, then works until it is told to stop, and says so.
SERVICE = (
    'echo $$ >> "$HERE/{0}"; trap \'echo {0} >> "$HERE/stopped"; exit 0\' TERM; sleep 60 & wait'
)


@pytest.fixture
def start(tmp_path):
    """Starts the supervisor with services; ends it and everything it left."""
    running = []

    def begin(*services: str) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, SCRIPT, tmp_path, *services],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()
        process.stderr.close()
    ownership.end_leftovers(Places(tmp_path))


def pids(path: Path, count: int) -> list[int]:
    """The process numbers written to ``path``, once there are ``count``."""
    eventually(lambda: path.exists() and len(path.read_text().split()) >= count)
    return [int(word) for word in path.read_text().split()]


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_killed_process_comes_back(start, tmp_path):
    start("web=" + SERVICE.format("web"))
    [first] = pids(tmp_path / "web", 1)

    os.kill(first, signal.SIGKILL)

    assert pids(tmp_path / "web", 2)[1] != first


def test_one_that_cannot_live_is_tried_ever_more_slowly(start, tmp_path):
    start('bad=date +%s%N >> "$HERE/bad"; exit 3')
    times = [number / 1e9 for number in pids(tmp_path / "bad", 4)]

    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert pauses[0] >= 0.5
    assert pauses[1] >= 1.0
    assert pauses[2] >= 2.0


def test_what_a_killed_leader_leaves_is_ended_before_the_next_one(start, tmp_path):
    """An orphan would keep the port, the lock or the file its successor needs."""
    start('web=sleep 60 & echo $! >> "$HERE/orphans"; echo $$ >> "$HERE/web"; wait')
    [leader] = pids(tmp_path / "web", 1)
    [orphan] = pids(tmp_path / "orphans", 1)

    os.kill(leader, signal.SIGKILL)
    pids(tmp_path / "web", 2)

    assert gone(orphan)


def test_everything_stops_in_reverse_order(start, tmp_path):
    names = ["postgres", "web", "worker"]
    supervisor = start(*(f"{name}={SERVICE.format(name)}" for name in names))
    started = [pids(tmp_path / name, 1)[0] for name in names]

    supervisor.send_signal(signal.SIGINT)

    assert supervisor.wait(10) == 0
    assert (tmp_path / "stopped").read_text().split() == ["worker", "web", "postgres"]
    assert all(gone(pid) for pid in started)


def test_one_that_does_not_heed_its_signal_is_killed_in_time(start, tmp_path):
    deaf = 'trap "" TERM; echo $$ >> "$HERE/deaf"; while :; do sleep 1; done'
    supervisor = start(f"deaf={deaf}")
    [pid] = pids(tmp_path / "deaf", 1)
    began = time.monotonic()

    supervisor.terminate()

    assert supervisor.wait(10) == 0
    assert time.monotonic() - began >= 2
    assert gone(pid)


def test_a_log_does_not_grow_for_ever(start, tmp_path):
    """The process keeps its file open, so it is cut in place."""
    talk = 'while :; do seq 500; echo $$ > "$HERE/talker"; sleep 0.1; done'
    start(f"talk={talk}")
    [talker] = pids(tmp_path / "talker", 1)
    log, aside = tmp_path / "log" / "talk.log", tmp_path / "log" / "talk.log.1"

    eventually(aside.exists)
    first = aside.stat().st_mtime_ns
    eventually(lambda: aside.stat().st_mtime_ns != first)

    assert pids(tmp_path / "talker", 1) == [talker]
    assert log.stat().st_size < 100_000
    assert b"\0" not in log.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children on Linux only")
def test_a_killed_supervisor_takes_its_processes_along(start, tmp_path):
    supervisor = start("web=" + SERVICE.format("web"))
    [pid] = pids(tmp_path / "web", 1)

    supervisor.kill()

    eventually(lambda: gone(pid))
    assert (tmp_path / "stopped").read_text().split() == ["web"]  # asked, not killed


def test_the_next_start_ends_what_was_left_behind(tmp_path):
    """For systems without that help of the kernel; the mark is inherited by grandchildren."""
    environment = {"PATH": "/usr/bin:/bin", ownership.MARK: str(tmp_path)}
    ours = subprocess.Popen(["/bin/sh", "-c", "sleep 60 & wait"], env=environment)
    other = subprocess.Popen(["sleep", "60"], env=environment | {ownership.MARK: "/elsewhere"})
    try:
        [grandchild] = eventually(lambda: psutil.Process(ours.pid).children())

        ownership.end_leftovers(Places(tmp_path))

        assert ours.wait(5) == -signal.SIGTERM
        assert gone(grandchild.pid)
        assert other.poll() is None
    finally:
        for process in (ours, other):
            process.kill()
            process.wait()
