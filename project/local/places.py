"""Where the embedded parts live: one directory, and sockets short enough for the kernel.

Standard library only, so that it can be used before anything is installed.
"""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATABASES = ("customers", "catalog", "orders", "reporting")
# sun_path holds 108 bytes on Linux and 104 on macOS; PostgreSQL appends "/.s.PGSQL.5432.lock".
LONGEST_SOCKET_DIR = 80


@dataclass(frozen=True)
class Places:
    """Paths below one ``var`` directory.

    ``var`` is the working directory of a set of embedded servers; two sets (the shop's and the
    test-suite's) never share one.
    """

    var: Path

    @property
    def sockets(self) -> Path:
        """Directory of the unix sockets; below the temporary directory where ``var`` lies deep."""
        inside = self.var / "run"
        if len(os.fsencode(inside)) <= LONGEST_SOCKET_DIR:
            return inside
        digest = hashlib.sha256(os.fsencode(self.var)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"holdfast-{os.getuid()}-{digest}"

    @property
    def redis_durable(self) -> Path:
        return self.sockets / "redis-durable.sock"

    @property
    def redis_cache(self) -> Path:
        return self.sockets / "redis-cache.sock"

    @property
    def secret_key(self) -> Path:
        return self.var / "secret_key"


def current() -> Places:
    """The places named by ``HOLDFAST_VAR``, by default ``var/`` in the project."""
    return Places(Path(os.environ.get("HOLDFAST_VAR") or ROOT / "var").resolve())
