"""Does the database have what was accepted?"""

from collections.abc import Mapping

from apps.caching.write_behind.contracts import Buffer, Edit, Version
from apps.caching.write_behind.draining import drain
from apps.caching.write_behind.letters import dead_letters
from apps.caching.write_behind.reading import backlog, counted, edits
from apps.caching.write_behind.registry import all_buffers

MOST = 10_000
LATE_SECONDS = 60.0


def write_behind_drained() -> tuple[int, Mapping[str, str]]:
    """Drains what waits of the last edits in each buffer's log, and compares their rows: how many
    keys it looked at; those that lack an accepted edit, or have one that was never given.

    Raises ``PendingUnknown`` while Redis is away, and the database's errors.
    """
    checked, wrong = 0, {}
    for buffer in all_buffers():
        age = backlog(buffer).oldest
        if age > LATE_SECONDS:
            wrong[buffer.name] = f"an edit has waited for {age:.0f} s"
        if buffer.versions is not None:
            compared, differing = _compare(buffer, _newest(buffer))
            checked += compared
            wrong |= differing
    return checked, wrong


def _newest(buffer: Buffer) -> dict[str, Edit]:
    """The last edit of each key, without those that staff have thrown away."""
    found: dict[str, Edit] = {}
    for one in edits(buffer, MOST):
        found.setdefault(one.key, one)
    return {key: one for key, one in found.items() if not one.discarded}


def _compare(buffer: Buffer, newest: Mapping[str, Edit]) -> tuple[int, dict[str, str]]:
    drain(buffer, list(newest))
    rows = dict(buffer.versions(list(newest)))
    given = counted(buffer)
    dead = {one.key for one in dead_letters(buffer, most=MOST)}
    wrong = {}
    for key in dead & rows.keys():
        del rows[key]
    for key, row in rows.items():
        edit = newest[key]
        if row < edit.version:
            wrong[key] = f"the row has edit {_words(row)}, not {_words(edit.version)}"
        elif given is not None and row[0] == given.epoch and row > given:
            wrong[key] = f"the row has edit {_words(row)}, Redis counts to {_words(given)}"
    return len(rows), wrong


def _words(version: tuple[int, int] | Version) -> str:
    return "{}.{}".format(*version)
