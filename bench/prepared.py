"""``python -m bench.prepared``: what PREPARE TRANSACTION costs and what an abandoned one holds.

Makes a PostgreSQL of its own, lets it prepare transactions, and throws it away; see
``docs/decisions/0015-sagas-not-prepared-transactions.md``.
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from project.local.places import Places
from project.local.postgres import PORT, ROLE, Postgres

ROUNDS, BATCH = 300, 100
RESERVE = "UPDATE stock SET reserved = reserved + %s WHERE product = 1"


class Cluster:
    """A server with ``max_prepared_transactions`` on, below ``directory``."""

    def __init__(self, directory: Path):
        self.places = Places(directory / "var")
        self.postgres = Postgres(self.places)
        self.postgres.prepare()
        self.start()
        self.postgres.create_databases()

    def start(self) -> None:
        service = self.postgres.service()
        command = [*service.command, "-c", "max_prepared_transactions=10"]
        self.process = subprocess.Popen(command, cwd="/", stderr=subprocess.DEVNULL)
        while not self.postgres.is_ready():
            time.sleep(0.1)

    def stop(self, how: int = signal.SIGINT) -> None:
        self.process.send_signal(how)
        self.process.wait(60)

    def connect(self, database: str) -> psycopg.Connection:
        host = str(self.places.postgres_sockets)
        return psycopg.connect(host=host, port=PORT, user=ROLE, dbname=database, autocommit=True)


@contextmanager
def measured(cluster: Cluster) -> Iterator[dict]:
    """Milliseconds and flushes of the write-ahead log per order in the block."""
    flushes = "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"
    result: dict = {}
    with cluster.connect("orders") as orders:

        def count() -> int:
            time.sleep(1.2)  # backends report once in a second
            return int(orders.execute(flushes).fetchone()[0])

        before, begun = count(), time.perf_counter()
        yield result
        result["ms"] = round((time.perf_counter() - begun) * 1000 / result["orders"], 2)
        result["flushes"] = round((count() - before) / result["orders"], 2)


def commits(cluster: Cluster, way: Callable[[psycopg.Connection, psycopg.Connection, int], int]):
    with (
        measured(cluster) as result,
        cluster.connect("orders") as orders,
        cluster.connect("catalog") as catalog,
    ):
        result["orders"] = sum(way(orders, catalog, n) for n in range(ROUNDS))
    return result


def two_commits(orders, catalog, n: int) -> int:
    orders.execute("INSERT INTO sale VALUES (default, %s)", [n])
    catalog.execute(RESERVE, [1])
    return 1


def two_phases(orders, catalog, n: int) -> int:
    """With the coordinator's decision, without which nobody could end what it leaves behind."""
    for connection, sql, value in (
        (orders, "INSERT INTO sale VALUES (default, %s)", n),
        (catalog, RESERVE, 1),
    ):
        connection.execute("BEGIN")
        connection.execute(sql, [value])
        connection.execute(f"PREPARE TRANSACTION '{connection.info.dbname} {n}'")
    orders.execute("INSERT INTO decision VALUES (%s)", [n])
    orders.execute(f"COMMIT PREPARED 'orders {n}'")
    catalog.execute(f"COMMIT PREPARED 'catalog {n}'")
    return 1


def saga(orders, catalog, n: int) -> int:
    """Each order is accepted by itself; then a batch: effect with its inbox rows, checkpoint."""
    if n % BATCH:
        return 0
    for number in range(BATCH):
        orders.execute("INSERT INTO sale VALUES (default, %s)", [n + number])
    with catalog.transaction():
        catalog.execute("INSERT INTO inbox SELECT %s, generate_series(1, %s)", [n, BATCH])
        catalog.execute(RESERVE, [BATCH])
    orders.execute("INSERT INTO decision SELECT %s FROM generate_series(1, %s)", [n, BATCH])
    return BATCH


def abandoned(cluster: Cluster) -> dict:
    """What a coordinator that died between its two phases leaves behind."""
    with cluster.connect("catalog") as dying:
        dying.execute("BEGIN")
        dying.execute(RESERVE, [1])
        dying.execute("PREPARE TRANSACTION 'left behind'")
    cluster.stop(signal.SIGQUIT)  # not even the server's death ends it
    cluster.start()
    found: dict = {}
    with cluster.connect("catalog") as catalog:
        found["prepared after a crash"] = catalog.execute(
            "SELECT count(*) FROM pg_prepared_xacts"
        ).fetchone()[0]
        catalog.execute("SET lock_timeout = '2s'")
        try:
            catalog.execute(RESERVE, [1])
        except psycopg.errors.LockNotAvailable as error:
            found["next order of the product"] = str(error).splitlines()[0]
        found["dead rows after VACUUM"] = _dead_rows(catalog)
        catalog.execute("ROLLBACK PREPARED 'left behind'")
        found["dead rows after its ROLLBACK and VACUUM"] = _dead_rows(catalog)
    return found


def _dead_rows(catalog: psycopg.Connection) -> int:
    """Of another table, every row of which was just changed."""
    catalog.execute("UPDATE other SET n = n + 1")
    notices: list[str] = []
    catalog.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    catalog.execute("VACUUM (VERBOSE) other")
    [tuples] = [line for text in notices for line in text.splitlines() if "are dead" in line]
    return int(tuples.split(" are dead")[0].split()[-1])


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="holdfast-prepared-") as directory:
        Path(directory).chmod(0o711)
        cluster = Cluster(Path(directory))
        try:
            with cluster.connect("orders") as orders, cluster.connect("catalog") as catalog:
                orders.execute("CREATE TABLE sale (id serial PRIMARY KEY, n int)")
                orders.execute("CREATE TABLE decision (n int)")
                catalog.execute("CREATE TABLE stock (product int PRIMARY KEY, reserved int)")
                catalog.execute("CREATE TABLE inbox (run int, n int, PRIMARY KEY (run, n))")
                catalog.execute("CREATE TABLE other AS SELECT generate_series(1, 10000) AS n")
                catalog.execute("INSERT INTO stock VALUES (1, 0)")
                default = catalog.execute(
                    "SELECT boot_val FROM pg_settings WHERE name = 'max_prepared_transactions'"
                ).fetchone()[0]
            print(
                json.dumps(
                    {
                        "max_prepared_transactions by default": default,
                        "two commits": commits(cluster, two_commits),
                        "two phases": commits(cluster, two_phases),
                        f"saga, {BATCH} in a batch": commits(cluster, saga),
                        "abandoned": abandoned(cluster),
                    },
                    indent=2,
                )
            )
        finally:
            cluster.stop()


if __name__ == "__main__":
    sys.exit(main())
