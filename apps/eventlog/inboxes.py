"""Removes what consumer groups remember of events that can come no more."""

from apps.common.databases import execute, fetch_all
from apps.eventlog import sweeps
from apps.eventlog.comparing import last_before
from apps.eventlog.enums import ARCHIVE
from apps.eventlog.reconciling import progress
from apps.messaging.groups import all_groups

SIZE = 5_000
MOST = 200_000  # rows that one run looks at
DAY = 86_400.0
_ROWS = """
    SELECT id, received_at < clock_timestamp() - make_interval(secs => %s)
    FROM messaging_inbox WHERE id > %s ORDER BY id LIMIT %s
"""
# Only what event groups entered: participants of sagas keep their answers as long as runs may
# repeat, and whoever gathers facts keeps these.
_DELETE = """
    DELETE FROM messaging_inbox WHERE id > %s AND id <= %s AND consumer = ANY(%s::text[])
        AND request_hash = '' AND outcome = 'null'::jsonb
"""


def inbox_purge(alias: str, *, days: float) -> int:
    """Deletes the entries of the event groups of ``alias`` that are older than ``days``, once the
    log was compared with all of them; how many."""
    groups = [group for group in all_groups() if group.alias == alias]
    horizon = last_before(days * DAY)
    if any(group.name != ARCHIVE and progress(group).verified < horizon for group in groups):
        return 0
    last, looked, deleted = sweeps.last(alias, "inbox"), 0, 0
    while looked < MOST:
        rows = fetch_all(alias, _ROWS, [days * DAY, last, SIZE])
        old = _old(rows)
        if old:
            names = [group.name for group in groups]
            deleted += execute(alias, _DELETE, [last, old[-1], names])
            last = old[-1]
            sweeps.advance(alias, "inbox", last)
        looked += len(rows)
        if len(old) < SIZE:
            break
    return deleted


def _old(rows: list[tuple[int, bool]]) -> list[int]:
    """The ids before the first row that is to stay."""
    ids = []
    for row_id, is_old in rows:
        if not is_old:
            break
        ids.append(row_id)
    return ids
