"""What the shadow says otherwise than the tables in use."""

from dataclasses import dataclass

from apps.common.databases import fetch_all, fetch_one
from apps.reporting.enums import DATABASE
from apps.reporting.rebuilding import shadow

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Difference:
    """``rows`` of a table differ or are on one side only; some of them by their ``keys``."""

    table: str
    rows: int
    keys: tuple[str, ...]


def differences() -> list[Difference]:
    """Of every table that differs; compares whole rows, but for generated numbers."""
    found = [_compare(table) for table in shadow.TABLES]
    return [one for one in found if one.rows]


def _compare(table: str) -> Difference:
    columns, key = ", ".join(shadow.columns(table)), shadow.key(table)
    here, there = (f"SELECT {columns} FROM {schema}.{table}" for schema in _SCHEMAS)
    either = f"({here} EXCEPT ALL {there}) UNION ALL ({there} EXCEPT ALL {here})"
    [rows] = fetch_one(DATABASE, f"SELECT count(DISTINCT {key}) FROM ({either}) AS one")
    keys = []
    if rows:
        keys = fetch_all(
            DATABASE,
            f"SELECT DISTINCT {key} FROM ({either}) AS one ORDER BY 1 LIMIT {SHOWN}",
        )
    return Difference(table, rows, tuple(name for (name,) in keys))


_SCHEMAS = (shadow.LIVE, shadow.SCHEMA)
