"""``make up`` as a person has it: started, hurt, used, stopped, started again."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest

from project.local.places import ROOT, Places
from tests.integration.local.test_servers import URLS
from tests.processes import eventually, free_port


class Shop:
    """A ``make up`` with a ``var`` and ports of its own."""

    def __init__(self, places: Places):
        self.places = places
        self.port, gateway_port = free_port(), free_port()
        self.environment = (
            os.environ
            | dict.fromkeys(URLS, "")
            | {
                "HOLDFAST_VAR": str(places.var),
                "PORT": str(self.port),
                "GATEWAY_PORT": str(gateway_port),
            }
        )
        self.environment.pop("DATABASE_STATEMENT_TIMEOUT_MS", None)
        self.process: subprocess.Popen | None = None
        self.output = places.var.parent / "output"

    def start(self) -> None:
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                self.command("up"),
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        eventually(lambda: self.process.poll() is not None or self.ready() == 200, seconds=120)
        assert self.process.poll() is None, self.output.read_text()
        eventually(lambda: "Holdfast is ready" in self.output.read_text())

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "project.local", *words]

    def call(self, *words: str) -> tuple[int, str]:
        """Exit code and what was said of another command beside it."""
        done = subprocess.run(
            self.command(*words),
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def get(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def ready(self) -> int:
        return self.get("/readyz")

    def child(self, name: str) -> psutil.Process | None:
        """The process that the supervisor runs under ``name``."""
        for child in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.Error):  # it may end while we look
                if name in " ".join(child.cmdline()):
                    return child
        return None

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [one for one in processes if one.is_running() and one.status() != "zombie"]


@pytest.fixture
def shop(tmp_path):
    shop = Shop(Places(tmp_path / "var"))
    yield shop
    if shop.process is not None and shop.process.poll() is None:
        shop.process.terminate()
        shop.process.wait(60)


def test_up(shop):
    shop.start()
    assert [shop.get(path) for path in ("/livez", "/admin/login/", "/api/docs")] == [200] * 3
    for login in (shop.places.staff_login, shop.places.customer_login):
        email, password = login.read_text().split()
        assert login.stat().st_mode & 0o777 == 0o600
        assert "@" in email
        assert len(password) >= 16

    # A second start and a reset are refused; a command beside it uses the same servers.
    code, said = shop.call("up")
    assert (code, "stop it first" in said, "Traceback" in said) == (1, True, False)
    code, said = shop.call("reset", "--yes")
    assert (code, "stop it first" in said) == (1, True)
    assert shop.places.staff_login.exists()
    code, said = shop.call(
        "run", "--", "manage.py", "shell", "-v0", "-c",
        "from apps.catalog.models import Product; print(Product.objects.count() > 0)",
    )  # fmt: skip
    assert (code, said) == (0, "True\n")

    # Another shell need not know the ports.
    told = {name: shop.environment.pop(name) for name in ("PORT", "GATEWAY_PORT")}
    ask = "from django.conf import settings; print(settings.GATEWAY_URL)"
    code, said = shop.call("run", "--", "manage.py", "shell", "-v0", "-c", ask)
    assert (code, said) == (0, f"http://127.0.0.1:{told['GATEWAY_PORT']}\n")
    shop.environment |= told

    # Killed parts come back by themselves.
    for name in ("granian", "celery -A project worker", "redis-durable", "postgres"):
        killed = shop.child(name)
        killed.kill()
        eventually(lambda: shop.child(name) not in (None, killed))  # noqa: B023
        eventually(lambda: shop.ready() == 200, seconds=60)

    # Ctrl-C leaves no process, and what was written is there again.
    family, password = shop.family(), shop.places.staff_login.read_text()
    os.killpg(shop.process.pid, signal.SIGINT)
    assert shop.process.wait(60) == 0
    assert alive(family) == []
    began = time.monotonic()
    shop.start()
    assert time.monotonic() - began < 60  # ten on an idle machine; this one is testing
    assert "Migrating" not in shop.output.read_text()
    assert shop.places.staff_login.read_text() == password

    # Even killed outright it is started again without help.
    family = shop.family()
    shop.process.kill()
    shop.process.wait()
    shop.start()
    assert alive(family) == []


@pytest.mark.parametrize("variable", ["PORT", "GATEWAY_PORT"])
def test_a_port_in_use_is_one_line_that_names_it(shop, variable):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(shop.environment[variable])))
        taken.listen()
        code, said = shop.call("up")

    assert code == 1
    [line] = said.splitlines()
    assert f"port {shop.environment[variable]} cannot be used" in line
    assert f"{variable}=" in line


@pytest.mark.parametrize("port", ["0", "65536", "web"])
def test_a_number_that_is_no_port_is_one_line(shop, port):
    shop.environment["PORT"] = port

    code, said = shop.call("up")

    assert (code, said) == (1, f"holdfast: PORT={port} is not a port between 1 and 65535\n")


def test_reset_asks_before_it_throws_anything_away(shop):
    shop.places.var.mkdir()
    (shop.places.var / "staff_login").write_text("kept")

    assert shop.call("reset")[0] == 1  # no terminal: nobody said yes
    assert (shop.places.var / "staff_login").exists()
    assert shop.call("reset", "--yes")[0] == 0
    assert not shop.places.var.exists()


def test_configured_servers_are_not_started(shop):
    """With all four databases and the gateway elsewhere, only Redis is ours."""
    for name in URLS[:4]:
        shop.environment[name] = "postgres://nobody@127.0.0.1:9/none"
    shop.environment["GATEWAY_URL"] = "http://127.0.0.1:9"
    code, said = shop.call("run", "--", sys.executable, "-c", CHILDREN)

    assert code == 0
    assert json.loads(said) == ["redis-server", "redis-server"]


CHILDREN = (
    "import os, json, psutil; "
    "print(json.dumps(sorted(one.name() for one in psutil.Process(os.getppid()).children()"
    " if one.pid != os.getpid())))"
)
