"""Runs the processes of the shop: starts them in order, restarts the dead, stops in reverse.

Each process leads a session of its own, so Ctrl-C reaches only the supervisor, and what a killed
leader leaves of its group is ended before the next one starts (an orphaned web worker would keep
the port). ``docs/decisions/0002-embedded-servers.md`` says why it is our own.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from project.local.errors import Interrupted, Trouble
from project.local.parents import InterruptedMake, signal_at_our_death

FIRST_DELAY, LONGEST_DELAY = 0.5, 15.0
HURRIED_SECONDS = 3.0
STEADY_SECONDS = 30.0  # a process that lived so long starts again with the first delay
LOG_LIMIT = 10_000_000  # bytes after which a log is put aside as .log.1
LOOK_AT_LOGS = 60.0  # seconds
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Service:
    """A process to keep running. ``stop``: signals in turn, each with the seconds it gets."""

    name: str
    command: Sequence[str]
    stop: Sequence[tuple[int, float]] = ((signal.SIGTERM, 10),)
    environment: Mapping[str, str] = field(default_factory=dict)
    parent_death_by_prefix: bool = False  # the command itself arranges for our death


@dataclass
class _Child:
    service: Service
    process: subprocess.Popen | None = None
    started: float = 0.0
    deaths: int = 0  # in a row
    start_at: float = 0.0  # time.monotonic() of the next start while there is no process


class Supervisor:
    """Keeps services running until it is told to stop."""

    def __init__(
        self, *, environment: Mapping[str, str], marks: Mapping[str, str], logs: Path, cwd: Path
    ):
        """``environment`` is for services and tasks, ``marks`` is added for services only."""
        self.environment = dict(environment)
        self._marks = dict(marks)
        self._logs = logs
        self._cwd = cwd
        self._children: dict[str, _Child] = {}
        self._signals = 0
        self._last_signal = 0.0
        self._make = InterruptedMake()
        self._logs_seen = float("-inf")
        self._tasks: dict[int, bool] = {}  # by number: whether in a session of its own
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._wake_out, False)
        signal.set_wakeup_fd(self._wake_in, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake the loop
        for number in STOP_SIGNALS:
            signal.signal(number, self._on_stop_signal)

    def start(self, *services: Service) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        for service in services:
            child = self._children[service.name] = _Child(service)
            self._spawn(child)

    def wait_until(
        self, condition: Callable[[], bool], seconds: float, every: float = 0.05
    ) -> bool:
        """Supervises until ``condition()`` or the time is over; says whether it came true.

        Raises ``Interrupted`` on a stop signal and ``Trouble`` when a service cannot start.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= deadline:
                return False
            self._turn(every)
            self._raise_if_interrupted()
            for child in self._children.values():
                if child.deaths >= 4:
                    raise Trouble(f"{child.service.name} does not start: {self._last_words(child)}")
        return True

    def run_forever(self) -> None:
        """Supervises until a stop signal; then returns."""
        while not self._signals:
            self._turn(LOOK_AT_LOGS)

    def run_task(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        own_session: bool = False,
    ) -> int:
        """Runs ``command`` on this terminal while supervising; its exit code.

        Ctrl-C reaches it directly and it decides what to do; with ``own_session`` it does not, and
        any stop signal ends it with SIGTERM.
        """
        try:
            task = subprocess.Popen(
                command,
                env=self.environment | dict(environment or {}),
                cwd=self._cwd,
                start_new_session=own_session,
                preexec_fn=signal_at_our_death(signal.SIGTERM),
            )
        except OSError as error:
            raise Trouble(f"cannot run {command[0]}: {error.strerror}") from None
        self._tasks[task.pid] = own_session
        if own_session and self._signals:
            task.terminate()  # the signal came before the task was there to be told
        while (code := task.poll()) is None:
            self._turn(LOOK_AT_LOGS)
        del self._tasks[task.pid]
        return code if code >= 0 else 128 - code

    def interrupted(self) -> bool:
        return bool(self._signals)

    def stop(self) -> None:
        """Stops everything, last started first; a further signal hurries it."""
        # One Ctrl-C may arrive twice, as a signal to us and to our group.
        began = time.monotonic() + 0.5
        for child in reversed(self._children.values()):
            self._stop_child(child, lambda: self._last_signal > began)
        self._children.clear()

    def _on_stop_signal(self, number, frame) -> None:
        self._signals += 1
        self._last_signal = time.monotonic()
        for pid, own_session in self._tasks.items():
            if own_session:
                _tell(pid, signal.SIGTERM)
            elif number != signal.SIGINT:  # Ctrl-C reached it by itself
                _tell(pid, number)

    def _heed_make(self) -> None:
        """Takes a SIGINT that only make received for one of ours."""
        if not self._signals and self._make.noticed():
            time.sleep(0.2)  # from a terminal both get it: ours may be on its way
            if not self._signals:
                self._signals += 1
                for pid, own_session in self._tasks.items():
                    _tell(pid, signal.SIGTERM if own_session else signal.SIGINT)

    def _raise_if_interrupted(self) -> None:
        if self._signals:
            raise Interrupted

    def _turn(self, longest: float) -> None:
        """Looks after every child once, then sleeps until something happens."""
        now = time.monotonic()
        wait = longest
        for child in self._children.values():
            if child.process is not None and self._has_ended(child):
                self._schedule(child, _how_it_ended(child.process.returncode))
            if child.process is None:
                if child.start_at <= now:
                    self._spawn(child)
                else:
                    wait = min(wait, child.start_at - now)
        if self._make.watched:
            wait = min(wait, 1.0)
        if now - self._logs_seen >= LOOK_AT_LOGS:
            self._trim_logs()
            self._logs_seen = now
        select.select([self._wake_out], [], [], max(wait, 0))
        self._heed_make()
        try:
            while os.read(self._wake_out, 1024):
                pass
        except BlockingIOError:
            pass

    def _spawn(self, child: _Child) -> None:
        service = child.service
        set_death_signal = None
        if not service.parent_death_by_prefix:
            set_death_signal = signal_at_our_death(service.stop[0][0])
        child.started = time.monotonic()
        try:
            with open(self._logs / f"{service.name}.log", "ab") as output:
                child.process = subprocess.Popen(
                    service.command,
                    env=self._environment_of(service),
                    cwd=self._cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=set_death_signal,
                )
        except OSError as error:  # no memory, a full disk, a program that is just being replaced
            self._schedule(child, f"cannot be started ({error.strerror})")

    def _trim_logs(self) -> None:
        """Puts long logs aside: copied, then cut, because the process keeps its file open."""
        for name in self._children:
            log = self._logs / f"{name}.log"
            with contextlib.suppress(FileNotFoundError):  # a person may have removed it
                if log.stat().st_size > LOG_LIMIT:
                    shutil.copyfile(log, log.with_suffix(".log.1"))
                    os.truncate(log, 0)

    def _environment_of(self, service: Service) -> dict[str, str]:
        own = {"HOLDFAST_PROCESS": service.name} | dict(service.environment)
        return self.environment | self._marks | own

    def _has_ended(self, child: _Child) -> bool:
        """Notices the end of a leader, ends what is left of its group, then reaps it."""
        process = child.process
        if hasattr(os, "waitid") and process.returncode is None:
            # Not reaped yet: its number cannot belong to another group meanwhile.
            options = os.WEXITED | os.WNOHANG | os.WNOWAIT
            if os.waitid(os.P_PID, process.pid, options) is None:
                return False
            _kill_group(process.pid)
        return process.poll() is not None

    def _schedule(self, child: _Child, what: str) -> None:
        """Plans the next start of a child that is not there, because of ``what``."""
        lived = time.monotonic() - child.started
        child.deaths = 1 if lived >= STEADY_SECONDS else child.deaths + 1
        # No power beyond what reaches the longest delay: it is tried for ever.
        delay = min(FIRST_DELAY * 2 ** min(child.deaths - 1, 10), LONGEST_DELAY)
        child.process, child.start_at = None, time.monotonic() + delay
        say(f"{child.service.name} {what}; starts again in {delay:g} s")

    def _stop_child(self, child: _Child, in_a_hurry: Callable[[], bool]) -> None:
        process = child.process
        if process is None:
            return
        for number, seconds in child.service.stop:
            if self._has_ended(child):
                break
            os.kill(process.pid, number)
            sent = time.monotonic()
            while not self._has_ended(child):
                patience = min(seconds, HURRIED_SECONDS) if in_a_hurry() else seconds
                if time.monotonic() - sent > patience:
                    break
                time.sleep(0.02)
        if process.returncode is None and not self._has_ended(child):
            say(f"{child.service.name} did not stop in time and is killed")
            _kill_group(process.pid)
            process.wait()
        child.process = None

    def _last_words(self, child: _Child) -> str:
        log = self._logs / f"{child.service.name}.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        lines = [one for one in text.splitlines() if one.strip()]
        return f"{lines[-1] if lines else 'it says nothing'} (see {log})"


def _how_it_ended(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"


def _tell(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it has ended meanwhile
        os.kill(pid, number)


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # nobody left (macOS says "permission" of a group of zombies)


def say(text: str) -> None:
    """A line for the person at the terminal, if there still is one."""
    with contextlib.suppress(OSError):
        print(f"holdfast: {text}", file=sys.stderr, flush=True)
