"""Tables like those of the read model in a schema of their own.

The statements that write the read model name no schema: with the shadow's first in the search path
they write there. A swap moves tables between schemas, so indexes and constraints keep their names
and later migrations find what they expect.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from apps.common.databases import execute, fetch_all, fetch_one
from apps.reporting.enums import DATABASE

SCHEMA, OLD = "reporting_shadow", "reporting_old"
LIVE = "public"
TABLES = (
    "reporting_orderview",
    "reporting_orderviewline",
    "reporting_orderviewrefund",
    "reporting_customername",
    "reporting_productname",
    "reporting_categoryname",
    "reporting_dailysales",
)


@contextmanager
def writing() -> Iterator[None]:
    """A transaction whose statements meet the shadow's tables instead of those in use."""
    with transaction.atomic(using=DATABASE):
        execute(DATABASE, f"SET LOCAL search_path = {SCHEMA}, {LIVE}")
        yield


def make() -> None:
    """Empty tables, in place of a shadow that is there already."""
    with transaction.atomic(using=DATABASE):
        execute(DATABASE, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        execute(DATABASE, f"CREATE SCHEMA {SCHEMA}")
        for table in TABLES:
            execute(
                DATABASE,
                f"CREATE TABLE {SCHEMA}.{table} (LIKE {LIVE}.{table} INCLUDING DEFAULTS"
                " INCLUDING GENERATED INCLUDING IDENTITY INCLUDING STORAGE INCLUDING COMMENTS)",
            )
            for statement in (*_constraints(table), *_indexes(table), *_options(table)):
                execute(DATABASE, statement)


def fits() -> bool:
    """Whether there is a shadow with the columns that the tables in use have."""
    shapes = [
        fetch_all(
            DATABASE,
            "SELECT table_name, column_name, data_type, is_nullable, generation_expression"
            " FROM information_schema.columns WHERE table_schema = %s AND table_name = ANY(%s)"
            " ORDER BY 1, 2",
            [schema, list(TABLES)],
        )
        for schema in (LIVE, SCHEMA)
    ]
    return shapes[0] == shapes[1]


def analyze() -> None:
    """The planner knows the new tables before anybody asks them."""
    for table in TABLES:
        execute(DATABASE, f"ANALYZE {SCHEMA}.{table}")


def swap() -> None:
    """The shadow takes the place of the tables in use, which go; in the caller's transaction."""
    execute(DATABASE, f"DROP SCHEMA IF EXISTS {OLD} CASCADE")
    execute(DATABASE, f"CREATE SCHEMA {OLD}")
    for table in TABLES:
        execute(DATABASE, f"ALTER TABLE {LIVE}.{table} SET SCHEMA {OLD}")
        execute(DATABASE, f"ALTER TABLE {SCHEMA}.{table} SET SCHEMA {LIVE}")
    execute(DATABASE, f"DROP SCHEMA {OLD} CASCADE")
    execute(DATABASE, f"DROP SCHEMA {SCHEMA} CASCADE")


def drop() -> None:
    execute(DATABASE, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def columns(table: str) -> list[str]:
    """Its columns but for numbers that the database gives out."""
    rows = fetch_all(
        DATABASE,
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s AND is_identity = 'NO'"
        " ORDER BY ordinal_position",
        [LIVE, table],
    )
    return [name for (name,) in rows]


def key(table: str) -> str:
    """The expression that names a row of the table for people: its natural key."""
    row = fetch_one(
        DATABASE,
        """
        SELECT string_agg(quote_ident(a.attname) || '::text', ' || '' '' || '
                          ORDER BY array_position(c.conkey, a.attnum))
        FROM (
            SELECT conrelid, conkey FROM pg_constraint
            WHERE conrelid = %s::regclass AND contype IN ('p', 'u')
            -- A primary key that the database numbers is no name.
            ORDER BY contype = 'p' AND EXISTS (
                SELECT FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey)
                    AND attidentity <> '')
            LIMIT 1
        ) c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
        """,
        [f"{LIVE}.{table}"],
    )
    return row[0]


def _constraints(table: str) -> list[str]:
    rows = fetch_all(
        DATABASE,
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('p', 'u', 'c') ORDER BY conname",
        [f"{LIVE}.{table}"],
    )
    return [f'ALTER TABLE {SCHEMA}.{table} ADD CONSTRAINT "{name}" {text}' for name, text in rows]


def _indexes(table: str) -> list[str]:
    """Those that no constraint brings along."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT pg_get_indexdef(indexrelid) FROM pg_index i
        WHERE indrelid = %s::regclass
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = i.indexrelid)
        ORDER BY indexrelid
        """,
        [f"{LIVE}.{table}"],
    )
    here, there = f" ON {LIVE}.{table} ", f" ON {SCHEMA}.{table} "
    return [text.replace(here, there, 1) for (text,) in rows]


def _options(table: str) -> list[str]:
    row = fetch_one(
        DATABASE,
        "SELECT array_to_string(reloptions, ', ') FROM pg_class WHERE oid = %s::regclass",
        [f"{LIVE}.{table}"],
    )
    return [f"ALTER TABLE {SCHEMA}.{table} SET ({row[0]})"] if row[0] else []
