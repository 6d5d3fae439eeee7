"""The database engine of the settings (``ENGINE = "apps.common.postgresql"``)."""

import select
from typing import Any

import psycopg
from django.db.backends.postgresql import base


def is_quiet(connection: psycopg.Connection) -> bool:
    """Whether nothing has arrived on an idle connection: no goodbye, no end of file.

    What a server that stops, dies or throws a session out sends can be seen without asking it.
    """
    try:
        descriptor = connection.fileno()
    except psycopg.OperationalError:  # closed
        return False
    seen = select.poll()
    seen.register(descriptor, select.POLLIN)
    return not seen.poll(0)


class PreparedCursor(base.CursorMixin, psycopg.Cursor):
    """Binds at the server and has each statement parsed once per connection."""

    def execute(self, query: Any, params: Any = None, **kwargs: Any) -> "PreparedCursor":
        return super().execute(query, params, prepare=True, **kwargs)

    def _convert_query(self, query: Any, params: Any = None) -> Any:
        self._query = super()._convert_query(query, params)  # what Django shows of it
        return self._query


class DatabaseWrapper(base.DatabaseWrapper):
    """Looks at a connection's socket before using it; only one that is not quiet is asked."""

    def get_connection_params(self) -> dict[str, Any]:
        # Without a threshold nothing is ever prepared; Django's own cursors never are with one.
        return super().get_connection_params() | {"prepare_threshold": 5}

    def get_new_connection(self, conn_params: dict[str, Any]) -> psycopg.Connection:
        connection = super().get_new_connection(conn_params)
        while self.pool and not is_quiet(connection) and not self._answers(connection):
            connection.close()
            connection._pool.putconn(connection)  # who replaces it
            connection = super().get_new_connection(conn_params)
        return connection

    def is_usable(self) -> bool:
        """Whether a kept connection is good for another task."""
        return self.connection is not None and (is_quiet(self.connection) or super().is_usable())

    def discard(self) -> None:
        """Closes the connection and forgets all that was under way on it, also what was begun or
        ended by halves."""
        self.in_atomic_block = self.needs_rollback = self.closed_in_transaction = False
        self.savepoint_ids, self.atomic_blocks = [], []
        self.close()

    def prepared_cursor(self):
        """A cursor for constant statements that run often; not for behind a pooler that shares
        sessions and does not know prepared statements."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            return self._prepare_cursor(PreparedCursor(self.connection))

    @staticmethod
    def _answers(connection: psycopg.Connection) -> bool:
        try:
            connection.execute("")
        except psycopg.Error:
            return False
        return True
