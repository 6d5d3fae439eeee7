"""What the owner of a set of servers tells everybody else. Standard library only, and quick."""

import fcntl
import json
import os
from pathlib import Path
from typing import Any, TextIO

from project.local.places import Places


def try_lock(path: Path, kind: int) -> TextIO | None:
    """The locked file, or ``None`` where somebody else holds it; closing it ends the lock."""
    file = open(path, "a")  # noqa: SIM115 (held open for as long as the lock is held)
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def publish(places: Places, **facts: Any) -> None:
    """Tells ``facts`` about us, above all whether the servers are ready."""
    draft = places.owner_facts.with_suffix(".draft")
    draft.write_text(json.dumps({"pid": os.getpid()} | facts))
    draft.replace(places.owner_facts)


def facts(places: Places) -> dict[str, Any]:
    """What the last owner published; it may be gone."""
    try:
        return json.loads(places.owner_facts.read_text())
    except (OSError, ValueError):
        return {}


def ports(places: Places) -> dict[str, int]:
    """Where the shop that runs on ``places`` listens; empty where none does."""
    found = facts(places).get("ports", {})
    if not found or not places.owner_lock.exists():
        return {}
    try:
        lock = try_lock(places.owner_lock, fcntl.LOCK_SH)
    except OSError:
        return {}
    if lock is None:
        return found
    lock.close()  # nobody holds it: the facts are those of a killed owner
    return {}
