"""The commands behind ``make``; each returns an exit code."""

import os
import shutil
import sys
from argparse import Namespace

from project import env
from project.local import places
from project.local.errors import Trouble
from project.local.ownership import Ownership
from project.local.session import describe, servers_running
from project.local.supervisor import say
from project.local.up import prepare, require_development, require_free_ports, start_parts, up

__all__ = ["check", "demo", "reset", "run", "test", "up"]

PRODUCTION_LIKE = {
    "HOLDFAST_ENV": "production",
    "SECRET_KEY": "only-for-make-check-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG",
    "ALLOWED_HOSTS": "shop.example",
}

# One process more than the two cores that are meant: a fifth of the suite waits for processes it
# has started.
SPREAD = ("-n", "3", "--dist", "worksteal")


def run(arguments: Namespace) -> int:
    """Runs a command with the servers up; starts them for its time unless they run."""
    words = [word for index, word in enumerate(arguments.words) if index or word != "--"]
    if not words:
        raise Trouble("run what? python -m project.local run -- COMMAND …")
    if words[0] == "manage.py":
        words = [sys.executable, *words]
    with servers_running(f"`{' '.join(words)[:60]}`") as (supervisor, _):
        return supervisor.run_task(words)


def test(arguments: Namespace) -> int:
    """Runs pytest on servers below ``var/test``, beside those of a running shop."""
    words = [word for word in arguments.words if word != "--"] or [*SPREAD]
    with servers_running("`make test`", throwaway=True) as (supervisor, _):
        return supervisor.run_task([sys.executable, "-m", "pytest", *words])


def check(arguments: Namespace) -> int:
    """Runs every static check; the first failure ends it."""
    python = [sys.executable, "-m"]
    steps = [
        ("ruff check", [*python, "ruff", "check", "."], {}),
        ("ruff format", [*python, "ruff", "format", "--check", "."], {}),
        ("import contracts", [os.path.join(sys.prefix, "bin", "lint-imports")], {}),
        (
            "deployment checks",
            [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
            PRODUCTION_LIKE,
        ),
        (
            "missing migrations",
            [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"],
            {},
        ),
    ]
    with servers_running("`make check`", throwaway=True) as (supervisor, _):
        for name, command, environment in steps:
            say(f"{name} …")
            if code := supervisor.run_task(command, environment):
                say(f"{name}: failed")
                return code
    say("all checks passed")
    return 0


def demo(arguments: Namespace) -> int:
    """Replays a sales file; with a running shop through its workers, else through our own."""
    require_development()
    command = [sys.executable, "manage.py", "replay_sales"]
    command += [arguments.file] if arguments.file else []
    command += ["--stock", arguments.stock] if arguments.stock else []
    command += [word for word in arguments.words if word != "--"]
    with servers_running("`make demo`") as (supervisor, host):
        if host is None or not host.get("shop"):
            require_free_ports(with_web=False)
            prepare(supervisor)
            start_parts(supervisor, with_web=False)
        return supervisor.run_task(command)


def reset(arguments: Namespace) -> int:
    """Throws ``var/`` away, unless something runs on it."""
    owned = [Ownership(places.Places(env.PLACES.var))]
    if (env.PLACES.var / "test").exists():
        owned.append(Ownership(places.Places(env.PLACES.var / "test")))
    for ownership in owned:
        if not ownership.take("`make reset`"):
            raise Trouble(f"{describe(ownership)} is running: stop it first")
    if not arguments.yes:
        print(f"This throws away {env.PLACES.var}: all databases, logins and logs.")
        try:
            answer = input("Type yes to go on: ")
        except EOFError:
            answer = ""
        if answer.strip().lower() != "yes":
            say("nothing was removed")
            return 1
    for ownership in owned:
        if ownership.places.sockets.exists():
            shutil.rmtree(ownership.places.sockets)
    shutil.rmtree(env.PLACES.var)
    say(f"{env.PLACES.var} is gone")
    return 0
