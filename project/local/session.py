"""Servers for the time of one command: those of a running owner, else our own."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from project import env
from project.local.errors import Interrupted, Trouble
from project.local.ownership import MARK, Ownership
from project.local.places import ROOT
from project.local.servers import Servers
from project.local.supervisor import Supervisor, say


def ports() -> dict[str, int]:
    """Where the shop listens, by the variable that says so."""
    return {"PORT": env.PORT, "GATEWAY_PORT": env.GATEWAY_PORT}


def child_environment() -> dict[str, str]:
    """Environment of everything we start."""
    own = {"HOLDFAST_VAR": str(env.PLACES.var), "PYTHONUNBUFFERED": "1"}
    return dict(os.environ) | own | {name: str(port) for name, port in ports().items()}


@contextmanager
def supervised() -> Iterator[Supervisor]:
    """A supervisor whose services are stopped at the end, whatever happens."""
    supervisor = Supervisor(
        environment=child_environment(),
        marks={MARK: str(env.PLACES.var)},
        logs=env.PLACES.logs,
        cwd=ROOT,
    )
    try:
        yield supervisor
    finally:
        supervisor.stop()


@contextmanager
def servers_running(what: str, throwaway: bool = False) -> Iterator[tuple[Supervisor, dict | None]]:
    """Servers that answer, for ``what``; ours, or as a guest those of whoever runs some.

    Yields the supervisor and, for a guest, what the owner published about itself. An owner waits
    at the end until its guests are gone.
    """
    ownership = Ownership(env.PLACES)
    with supervised() as supervisor:
        host = _join(ownership, supervisor, what)
        try:
            if host is None:
                Servers(env.PLACES, throwaway).start(supervisor)
                ownership.publish(what=what, ready=True)
            yield supervisor, host
            if host is None and not supervisor.interrupted() and not ownership.last_one():
                say("waiting for others who use these servers (Ctrl-C stops them now)")
                try:
                    supervisor.wait_until(ownership.last_one, float("inf"))
                except Interrupted:
                    pass
        finally:
            supervisor.stop()
            if host is None:
                ownership.release()
            else:
                ownership.leave()


def _join(ownership: Ownership, supervisor: Supervisor, what: str) -> dict | None:
    """Becomes the owner (``None``), or a guest of one whose servers are ready (its facts)."""
    deadline = time.monotonic() + 120
    told = False
    while not ownership.take(what):
        if ownership.visit():
            facts = ownership.facts()
            if facts.get("ready"):
                return facts
            ownership.leave()
        if not told and time.monotonic() > deadline - 117:
            say(f"waiting for {describe(ownership)}")
            told = True
        if time.monotonic() > deadline:
            raise Trouble(f"{describe(ownership)} holds {env.PLACES.var} but is not ready")
        supervisor.wait_until(lambda: False, 0.2)
    return None


def describe(ownership: Ownership) -> str:
    """The present owner, for a message."""
    facts = ownership.facts()
    return f"{facts.get('what', 'another start')} (process {facts.get('pid', '?')})"
