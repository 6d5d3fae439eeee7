"""The sandbox's durable record: one SQLite file, one writer, one transaction per batch."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS payment (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    card_token TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    code TEXT NOT NULL DEFAULT '',
    authorized INTEGER NOT NULL CHECK (authorized >= 0),
    captured INTEGER NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND authorized),
    refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
    captures INTEGER NOT NULL DEFAULT 0,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempt (
    reference TEXT NOT NULL, operation TEXT NOT NULL, times INTEGER NOT NULL,
    PRIMARY KEY (reference, operation)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS late (reference TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""

PAYMENT = (
    "SELECT number, reference, card_token, currency, status, code, authorized, captured,"
    " refunded, captures, created_at FROM payment"
)


class Record:
    """The payments, the answers given, and how often each faulty card was asked."""

    def __init__(self, directory: Path):
        directory.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(directory / "gateway.sqlite3", timeout=1, isolation_level=None)
        self.db.row_factory = sqlite3.Row
        # An exclusive lock keeps a second gateway off the same record; it dies with the process.
        self.db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self.db.execute("PRAGMA journal_mode = WAL")
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT;")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, on disk when it ends."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self.db.close()

    def payment(self, reference: str) -> sqlite3.Row | None:
        return self.db.execute(f"{PAYMENT} WHERE reference = ?", [reference]).fetchone()

    def payments(self, after: int, limit: int) -> list[sqlite3.Row]:
        return self.db.execute(
            f"{PAYMENT} WHERE number > ? ORDER BY number LIMIT ?", [after, limit]
        ).fetchall()

    def add_payment(self, reference, card_token, currency, authorized, status, code="") -> None:
        self.db.execute(
            "INSERT INTO payment (reference, card_token, currency, authorized, status, code)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [reference, card_token, currency, authorized, status, code],
        )

    def change_payment(self, reference: str, **values: str | int) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        self.db.execute(
            f"UPDATE payment SET {columns} WHERE reference = ?", [*values.values(), reference]
        )

    def answer(self, key: str) -> sqlite3.Row | None:
        return self.db.execute(
            "SELECT request, status, body FROM answer WHERE key = ?", [key]
        ).fetchone()

    def add_answer(self, key: str, request: str, status: int, body: bytes) -> None:
        self.db.execute("INSERT INTO answer VALUES (?, ?, ?, ?)", [key, request, status, body])

    def count_attempt(self, reference: str, operation: str) -> int:
        """How often this was asked, this time included."""
        [times] = self.db.execute(
            "INSERT INTO attempt VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET times = times + 1"
            " RETURNING times",
            [reference, operation],
        ).fetchone()
        return times

    def keep_late(self, reference: str, body: bytes) -> None:
        self.db.execute("INSERT OR REPLACE INTO late VALUES (?, ?)", [reference, body])

    def take_late(self, reference: str) -> bytes | None:
        row = self.db.execute(
            "DELETE FROM late WHERE reference = ? RETURNING body", [reference]
        ).fetchone()
        return row["body"] if row else None
