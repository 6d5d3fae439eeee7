"""The embedded servers, and what a start repairs."""

import os
import stat
import subprocess
import sys

import psutil
import pytest

from project.local import postgres
from project.local.errors import Trouble
from project.local.ownership import end_leftovers
from project.local.places import ROOT, Places
from project.local.postgres import Postgres
from tests.processes import eventually

RUN = [sys.executable, "-m", "project.local", "run", "--"]
ASK = (
    "import psycopg, redis; from project import env; c = env.database('orders');"
    "row = psycopg.connect(host=c['HOST'], port=c['PORT'], user=c['USER'], dbname=c['NAME'])"
    ".execute({0!r}).fetchone();"
    "print(row[0], *(redis.Redis(unix_socket_path=str(one)).config_get('maxmemory-policy')"
    "['maxmemory-policy'] for one in env.PLACES.redis_sockets))"
)
URLS = [f"{name}_DATABASE_URL" for name in ("CUSTOMERS", "CATALOG", "ORDERS", "REPORTING")]
URLS += ["CACHE_URL", "QUEUE_REDIS_URL", "BROKER_URL", "GATEWAY_URL"]


def run(places: Places, sql: str) -> subprocess.CompletedProcess:
    """Asks the servers below ``places`` as a person would: with the command that starts them."""
    environment = os.environ | dict.fromkeys(URLS, "") | {"HOLDFAST_VAR": str(places.var)}
    return subprocess.run(
        [*RUN, sys.executable, "-c", ASK.format(sql)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A ``var`` whose servers ran once; each test leaves it stopped and in order."""
    places = Places(tmp_path_factory.mktemp("shop") / "var")
    done = run(places, "SELECT current_setting('fsync') || current_setting('listen_addresses')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "on noeviction allkeys-lfu\n", "")
    return places


def test_it_listens_for_nobody_else(used):
    """Files and sockets are closed to other accounts; peer lets in the one that started it."""
    rules = (used.postgres_data / "pg_hba.conf").read_text().split()
    assert rules == ["local", "all", "all", "peer", "map=holdfast"]
    for closed in (used.postgres_sockets, used.postgres_data):
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert stat.S_IMODE(used.var.stat().st_mode) & 0o066 == 0


def test_nothing_is_left_running(used):
    assert postgres.running(used) is None
    assert [one for one in used.redis_sockets if one.exists()] == []


def test_a_pid_file_that_names_a_stranger_is_no_obstacle(used):
    """After a crash the number may belong to any process, here to this one."""
    for lock in (
        used.postgres_data / "postmaster.pid",
        used.postgres_sockets / ".s.PGSQL.5432.lock",
    ):
        lock.write_text(f"{os.getpid()}\n{used.postgres_data}\n1700000000\n5432\n")
        os.chown(lock, lock.parent.stat().st_uid, lock.parent.stat().st_gid)
    for socket in (*used.redis_sockets, used.postgres_sockets / ".s.PGSQL.5432"):
        socket.touch()

    assert run(used, "SELECT 7").stdout == "7 noeviction allkeys-lfu\n"


def test_a_half_made_cluster_is_made_anew(used):
    half = used.postgres_data.with_name("data.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    away = used.postgres_data.with_name("away")
    used.postgres_data.rename(away)
    try:
        assert run(used, "SELECT 8").stdout == "8 noeviction allkeys-lfu\n"
        assert not half.exists()
    finally:
        subprocess.run(["rm", "-r", used.postgres_data], check=True)
        away.rename(used.postgres_data)


def test_a_cluster_of_another_version_is_left_alone(used):
    version = used.postgres_data / "PG_VERSION"
    present = version.read_text()
    version.write_text("12\n")
    try:
        done = run(used, "SELECT 1")
        assert done.returncode == 1
        assert "was made by PostgreSQL 12" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        version.write_text(present)


def test_servers_left_by_a_killed_owner_are_ended(used):
    """Started here without the kernel's help, as on systems that have none."""
    server = Postgres(used)
    server.prepare()
    service = server.service()
    command = [word for word in service.command if not word.startswith("--pdeathsig")]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        eventually(server.is_ready)

        end_leftovers(used)

        assert process.wait(5) == 0
        assert run(used, "SELECT 9").stdout == "9 noeviction allkeys-lfu\n"
    finally:
        process.kill()


def test_an_account_that_cannot_reach_its_files_is_told(tmp_path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root needs another account")
    from project.local import accounts

    monkeypatch.setattr(accounts, "PASSAGES", ())
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)

    with pytest.raises(Trouble, match="run make as an ordinary user"):
        accounts.postgres_account(Postgres(Places(tmp_path)).program, closed)


def test_a_guest_uses_the_servers_of_the_owner(used):
    environment = os.environ | dict.fromkeys(URLS, "") | {"HOLDFAST_VAR": str(used.var)}
    ask = "SELECT pg_postmaster_start_time()::text"
    inner = [*RUN, sys.executable, "-c", ASK.format(ask)]
    both = f"import subprocess; [subprocess.run({inner!r}, check=True) for _ in range(2)]"
    done = subprocess.run(
        [*RUN, sys.executable, "-c", both],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )

    first, second = done.stdout.splitlines()
    assert first == second
    assert not any("postgres" in (one.name() or "") for one in psutil.Process().children())
