"""``make up``: the shop, from nothing to ready, until Ctrl-C."""

import json
import shutil
import socket
import sys
import time
import urllib.error
import urllib.request
from argparse import Namespace

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from project import env
from project.local import parts
from project.local.errors import Interrupted, Trouble
from project.local.ownership import Ownership
from project.local.servers import Servers
from project.local.session import describe, ports, supervised
from project.local.supervisor import Supervisor, say

READY_SECONDS = 90


def up(arguments: Namespace) -> int:
    """Runs everything until a stop signal; 0 after an orderly end."""
    began = time.monotonic()
    require_development()
    ownership = Ownership(env.PLACES)
    if not ownership.take("`make up`"):
        raise Trouble(f"{describe(ownership)} runs on {env.PLACES.var} already: stop it first")
    try:
        with supervised() as supervisor:
            try:
                require_free_ports(with_web=True)
                Servers(env.PLACES).start(supervisor)
                prepare(supervisor)
                start_parts(supervisor, with_web=True)
                ownership.publish(what="`make up`", ready=True, shop=True, ports=ports())
                wait_for_shop(supervisor)
                print_summary(time.monotonic() - began)
                supervisor.run_forever()
            except Interrupted:
                pass
            say("stopping …")
        say("stopped")
    finally:
        ownership.release()
    return 0


def require_development() -> None:
    """Raises ``Trouble`` under production settings, which answer nothing without HTTPS."""
    if env.PRODUCTION:
        raise Trouble("HOLDFAST_ENV is production, and this runs a shop for development: unset it")


def require_free_ports(with_web: bool) -> None:
    """Raises ``Trouble`` where a port we are to listen on is taken."""
    wanted = [("PORT", env.PORT)] if with_web else []
    if not env.is_set("GATEWAY_URL"):
        wanted.append(("GATEWAY_PORT", env.GATEWAY_PORT))
    if env.PORT == env.GATEWAY_PORT and len(wanted) == 2:
        raise Trouble(f"PORT and GATEWAY_PORT are both {env.PORT}: they must differ")
    for variable, port in wanted:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError) as error:
                reason = error.strerror if isinstance(error, OSError) else "no such port"
                raise Trouble(
                    f"port {port} cannot be used ({reason}): choose another, {variable}={port + 10}"
                ) from None


def prepare(supervisor: Supervisor) -> None:
    """Migrations, logins and the sample shop, in one process; raises ``Trouble``."""
    code = supervisor.run_task([sys.executable, "manage.py", "prepare_shop"], own_session=True)
    if supervisor.interrupted():
        raise Interrupted
    if code:
        raise Trouble("the databases could not be prepared: see above")


def start_parts(supervisor: Supervisor, *, with_web: bool) -> None:
    """Starts the processes of the shop, in their order."""
    if not env.is_set("GATEWAY_URL"):
        supervisor.start(parts.gateway())
    if with_web:
        shutil.rmtree(parts.metrics_directory(), ignore_errors=True)  # counted before this start
        supervisor.start(parts.web())
    supervisor.start(parts.worker(), parts.beat(), parts.relay(), parts.consumer(), parts.mailer())


def wait_for_shop(supervisor: Supervisor) -> None:
    """Returns once /readyz finds nothing wanting; says what is missing where that takes too
    long."""
    missing: list[str] = ["web"]

    def ready() -> bool:
        missing[:] = missing_parts()
        return not missing

    while not supervisor.wait_until(ready, READY_SECONDS, every=0.2):
        say(f"still waiting for {', '.join(missing)}: see {env.PLACES.logs}")


def missing_parts() -> list[str]:
    """The parts that /readyz finds wanting; ``web`` while it does not answer at all."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{env.PORT}/readyz", timeout=3) as answer:
            said = answer.read()
    except urllib.error.HTTPError as error:
        said = error.read()
    except OSError:
        return ["web"]
    try:
        found = json.loads(said)["parts"]
    except (ValueError, KeyError):
        return ["web"]
    return [name for name, state in found.items() if state != "ok"]


def print_summary(seconds: float) -> None:
    """The addresses and logins of a running shop."""
    site = f"http://127.0.0.1:{env.PORT}"
    table = Table.grid(padding=(0, 2))
    table.add_row("Shop API", f"{site}/api/docs")
    table.add_row("Admin", f"{site}/admin/")
    for label, path in (
        ("Staff login", env.PLACES.staff_login),
        ("Demo customer", env.PLACES.customer_login),
    ):
        if path.exists():
            email = path.read_text().split("\n")[0]
            table.add_row(label, f"{email}, password in {_shown(path)}")
    table.add_row("Logs", f"{_shown(env.PLACES.logs)}/")
    table.add_row("Stop", "Ctrl-C")
    console = Console(soft_wrap=True)
    console.print(Panel.fit(table, title=f"Holdfast is ready ({seconds:.1f} s)"))


def _shown(path) -> str:
    """Relative to the project where it lies inside."""
    try:
        return str(path.relative_to(env.BASE_DIR))
    except ValueError:
        return str(path)
