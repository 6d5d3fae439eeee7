"""The account PostgreSQL runs under: it refuses root.

Started by root, it runs as ``nobody`` and nothing outside ``var/`` is opened for it. Where a
directory above the clone is closed to ``nobody`` (``/root``, ``mktemp -d``), the server keeps one
capability of root's to pass through; see ``docs/decisions/0002-embedded-servers.md``.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from project.local.errors import Trouble

UNPRIVILEGED = "nobody"
# The smaller one first; containers often have the larger one only.
PASSAGES = ("dac_read_search", "dac_override")


@dataclass(frozen=True)
class Account:
    """Who runs PostgreSQL: ``prefix`` goes before its commands, ``ids`` owns its files.

    ``client`` is the name of the account that connects to it: ours.
    """

    client: str
    prefix: tuple[str, ...] = ()
    ids: tuple[int, int] | None = None

    def command(self, *words: str | Path) -> list[str]:
        return [*self.prefix, *map(str, words)]


def postgres_account(program: Path, directory: Path) -> Account:
    """The account that can execute ``program`` and write in ``directory``.

    ``directory`` exists and, for root, is handed over to it. Raises ``Trouble``.
    """
    try:
        client = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        raise Trouble(
            f"user id {os.geteuid()} has no name on this machine, which PostgreSQL needs"
        ) from None
    if os.geteuid() != 0:
        return Account(client)
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise Trouble(
            "PostgreSQL does not run as root and there is no setpriv (util-linux) to start it"
            " as another account: run make as an ordinary user"
        )
    entry = pwd.getpwnam(UNPRIVILEGED)
    ids = (entry.pw_uid, entry.pw_gid)
    os.chown(directory, *ids)
    drop = (
        setpriv, f"--reuid={ids[0]}", f"--regid={ids[1]}", "--clear-groups", "--no-new-privs",
        "--pdeathsig=INT",
    )  # fmt: skip
    for passage in (None, *PASSAGES):
        prefix = (*drop, *_capabilities(passage))
        if _reaches(prefix, program, directory):
            return Account(client, prefix, ids)
    raise Trouble(
        f"PostgreSQL does not run as root, and {UNPRIVILEGED} cannot reach {directory}: run make"
        " as an ordinary user or in a directory others may pass through"
    )


def _capabilities(passage: str | None) -> Sequence[str]:
    """setpriv's options that leave no capability but ``passage``."""
    if passage is None:
        return ("--bounding-set=-all", "--inh-caps=-all", "--ambient-caps=-all")
    only = f"-all,+{passage}"
    return (
        f"--bounding-set={only}",
        f"--inh-caps={only}",
        f"--ambient-caps={only}",
        # PostgreSQL asks access(2), which otherwise ignores the capabilities of a non-root user.
        "--securebits=+no_setuid_fixup",
    )


def _reaches(prefix: Sequence[str], program: Path, directory: Path) -> bool:
    """Tries it: modes, ACLs, mounts and containers make any prediction wrong somewhere."""
    test = 'test -x "$1" && test -r "$1" && test -w "$2"'
    command = [*prefix, "/bin/sh", "-c", test, "sh", str(program), str(directory)]
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0
