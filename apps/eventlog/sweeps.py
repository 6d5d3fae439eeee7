"""How far tables of other databases were gone through."""

from apps.common.databases import execute, fetch_one
from apps.eventlog.enums import DATABASE


def last(alias: str, table: str) -> int:
    """The id up to which the table is done with; 0 at first."""
    row = fetch_one(
        DATABASE,
        'SELECT last FROM eventlog_sweep WHERE database = %s AND "table" = %s',
        [alias, table],
    )
    return row[0] if row else 0


def advance(alias: str, table: str, to: int) -> None:
    """Never goes back."""
    execute(
        DATABASE,
        """
        INSERT INTO eventlog_sweep AS known (database, "table", last) VALUES (%s, %s, %s)
        ON CONFLICT (database, "table") DO UPDATE
        SET last = greatest(known.last, excluded.last), swept_at = clock_timestamp()
        """,
        [alias, table, to],
    )
