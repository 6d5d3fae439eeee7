"""The embedded PostgreSQL: one cluster with the four databases, on a unix socket only."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from project.local.accounts import Account, postgres_account
from project.local.errors import Trouble
from project.local.places import DATABASES, Places, make_private
from project.local.programs import major_version, postgres_programs
from project.local.supervisor import Service

ROLE = "holdfast"
PLAIN_LOCALE = {"LC_ALL": "C"}  # a person's may be unknown to this machine
OLDEST = 14  # what Django supports
PORT = 5432  # names the socket file; nothing listens on TCP
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "jit": "off",
    # Disks of today, and tables that stay in memory: the default of 4 scans a whole ledger where
    # 500 look-ups would do.
    "random_page_cost": "1.1",
}
# A cluster that is thrown away with its tests needs no disk to survive a power cut.
THROWAWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres:
    """The cluster below ``places``; ``throwaway`` for the test-suite's."""

    def __init__(self, places: Places, throwaway: bool = False):
        self.places = places
        self.throwaway = throwaway
        self.initdb, self.program = postgres_programs()
        self.version = major_version(self.program)
        if self.version < OLDEST:
            raise Trouble(
                f"PostgreSQL {OLDEST} or newer is needed; {self.program} is {self.version}"
            )
        self.account: Account | None = None

    def prepare(self) -> None:
        """Makes the cluster unless it is there, and clears what a killed server left."""
        home = self.places.postgres_data.parent
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.account = postgres_account(self.program, home)
        make_private(home, 0o700, self.account.ids)
        make_private(self.places.postgres_sockets, 0o700, self.account.ids)
        if not self.places.postgres_data.exists():
            self._make_cluster()
        self._check_version()
        self._write_access_rules()
        self._clear_stale_locks()

    def service(self) -> Service:
        settings = SETTINGS | {"unix_socket_directories": _quoted(self.places.postgres_sockets)}
        if self.throwaway:
            settings |= THROWAWAY
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        data = self.places.postgres_data
        return Service(
            name="postgres",
            command=self.account.command(self.program, "-D", data, *words),
            # SIGINT is the "fast shutdown", SIGQUIT the immediate one with recovery at next start.
            stop=((signal.SIGINT, 30), (signal.SIGQUIT, 5)),
            environment=PLAIN_LOCALE | {"PGDATA": str(data)},
            parent_death_by_prefix=bool(self.account.prefix),
        )

    def is_ready(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def create_databases(self) -> None:
        with self._connect() as connection:
            there = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            for name in DATABASES:
                if name not in there:
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self.places.postgres_sockets), port=PORT, user=ROLE, dbname="postgres",
            connect_timeout=2, autocommit=True,
        )  # fmt: skip

    def _make_cluster(self) -> None:
        """initdb beside the final place, then one rename: half a cluster is never taken for one."""
        draft = self.places.postgres_data.with_name("data.new")
        if draft.exists():
            shutil.rmtree(draft)
        done = subprocess.run(
            self.account.command(
                self.initdb, "-D", draft, "-U", ROLE, "-E", "UTF8", *self._locale(),
                "--auth-local=peer", "--auth-host=reject",
            ),
            cwd="/", env=os.environ | PLAIN_LOCALE, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Trouble(f"initdb failed: {(done.stderr.strip() or 'no output').splitlines()[-1]}")
        draft.rename(self.places.postgres_data)

    def _locale(self) -> list[str]:
        """The same order and letter case on every machine: Unicode's, known to 17 and later."""
        if self.version < 17:
            return ["--locale=C"]
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

    def _check_version(self) -> None:
        version_file = self.places.postgres_data / "PG_VERSION"
        try:
            made_by = int(version_file.read_text())
        except (OSError, ValueError):
            raise Trouble(
                f"{self.places.postgres_data} is not a PostgreSQL cluster: move it away"
            ) from None
        if made_by != self.version:
            raise Trouble(
                f"{self.places.postgres_data} was made by PostgreSQL {made_by}, but {self.program}"
                f" is {self.version}: put {made_by} on PATH, or make reset"
            )

    def _write_access_rules(self) -> None:
        """Only the account that started it may connect, whoever the server runs as."""
        data = self.places.postgres_data
        _replace(data / "pg_hba.conf", f"local all all peer map={ROLE}\n", self.account)
        _replace(
            data / "pg_ident.conf",
            f"{ROLE} {json.dumps(self.account.client)} {ROLE}\n",
            self.account,
        )

    def _clear_stale_locks(self) -> None:
        """Removes lock files whose process is no PostgreSQL of this cluster.

        PostgreSQL does so itself unless the number now belongs to another process.
        """
        locks = [
            self.places.postgres_data / "postmaster.pid",
            self.places.postgres_sockets / f".s.PGSQL.{PORT}.lock",
        ]
        if running(self.places) is None:
            for lock in locks:
                lock.unlink(missing_ok=True)


def running(places: Places) -> psutil.Process | None:
    """The live server of this cluster, by its own pid file and its command line."""
    try:
        pid = int((places.postgres_data / "postmaster.pid").read_text().split("\n")[0])
        process = psutil.Process(pid)
        command = process.cmdline()
    except (OSError, ValueError, psutil.Error):
        return None
    return process if command and str(places.postgres_data) in command else None


def _replace(path: Path, text: str, account: Account) -> None:
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text)
    if account.ids:
        os.chown(draft, *account.ids)
    draft.replace(path)


def _quoted(directory: Path) -> str:
    """``unix_socket_directories`` is a list: a comma or space in a path needs quotes."""
    return '"' + str(directory).replace('"', '""') + '"'
