"""Where the embedded parts live: one directory, and sockets short enough for the kernel.

Standard library only, so that it can be used before anything is installed.
"""

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATABASES = ("customers", "catalog", "orders", "reporting")
# sun_path holds 108 bytes on Linux and 104 on macOS; "/pg/.s.PGSQL.5432.lock" is appended.
LONGEST_SOCKET_DIR = 80
PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
# Not $TMPDIR: two shells with different ones must agree on the place.
SHORT_DIRECTORY = Path("/tmp")  # noqa: S108 (made for the owner only, see make_private)


@dataclass(frozen=True)
class Places:
    """Paths below one ``var`` directory.

    ``var`` is the working directory of a set of embedded servers; two sets (the shop's and the
    test-suite's) never share one.
    """

    var: Path

    @property
    def mode(self) -> int:
        """Of ``var`` and ``sockets``: root's must let PostgreSQL's account pass through."""
        return 0o711 if os.geteuid() == 0 else 0o700

    @property
    def sockets(self) -> Path:
        """Directory of the unix sockets; below ``/tmp`` where ``var`` lies deep or is oddly named.

        Sockets are named in URLs and host lists, where a comma or percent sign means something.
        """
        inside = self.var / "run"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_DIR and PLAIN.fullmatch(str(inside)):
            return inside
        digest = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:16]
        return SHORT_DIRECTORY / f"holdfast-{os.getuid()}-{digest}"

    @property
    def postgres_sockets(self) -> Path:
        """PostgreSQL's own socket directory; as root it belongs to the account it runs under."""
        return self.sockets / "pg"

    @property
    def redis_durable(self) -> Path:
        return self.sockets / "redis-durable.sock"

    @property
    def redis_cache(self) -> Path:
        return self.sockets / "redis-cache.sock"

    @property
    def redis_sockets(self) -> tuple[Path, Path]:
        return self.redis_durable, self.redis_cache

    @property
    def postgres_data(self) -> Path:
        """The cluster; its parent belongs to the account PostgreSQL runs under."""
        return self.var / "postgres" / "data"

    @property
    def owner_lock(self) -> Path:
        return self.var / "owner.lock"

    @property
    def owner_facts(self) -> Path:
        return self.var / "owner.json"

    @property
    def guests_lock(self) -> Path:
        return self.var / "guests.lock"

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def mail(self) -> Path:
        """What the shop would have sent, where no mail server is named."""
        return self.var / "mail"

    @property
    def secret_key(self) -> Path:
        return self.var / "secret_key"

    @property
    def staff_login(self) -> Path:
        return self.var / "staff_login"

    @property
    def customer_login(self) -> Path:
        return self.var / "customer_login"


def current() -> Places:
    """The places named by ``HOLDFAST_VAR``, by default ``var/`` in the project."""
    return Places(Path(os.environ.get("HOLDFAST_VAR") or ROOT / "var").resolve())


def make_private(directory: Path, mode: int, owner: tuple[int, int] | None = None) -> None:
    """Makes ``directory`` with ``mode``, owned by us or by ``owner`` (uid, gid).

    Raises ``PermissionError`` where something of somebody else stands there already (the short
    socket directory lies where everybody may write).
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()
    allowed = {os.geteuid()} | ({owner[0]} if owner else set())
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in allowed:
        raise PermissionError(13, "belongs to somebody else", str(directory))
    if owner and (found.st_uid, found.st_gid) != owner:
        os.chown(directory, *owner)
    if stat.S_IMODE(found.st_mode) != mode:
        directory.chmod(mode)
