"""Getting what is pending of some keys into the database now: before those rows are written
directly, or read where only the database counts."""

import time
from collections import defaultdict
from collections.abc import Sequence

from apps.caching.write_behind import flushing, layout
from apps.caching.write_behind.connections import AWAY
from apps.caching.write_behind.contracts import Buffer, PendingUnknown
from apps.caching.write_behind.leases import Lease
from apps.caching.write_behind.reading import pending


def drain(buffer: Buffer, keys: Sequence[str], *, seconds: float = 1.0) -> int:
    """Returns how many of ``keys`` it wrote, once all that was pending of them at the call is in
    the database (or a dead letter); never inside a transaction on its database.

    Waits ``seconds`` for whoever flushes them, then writes beside him: rows wait for each other
    then, and nothing is written twice. Raises ``PendingUnknown`` while Redis is away, and the
    database's errors.
    """
    by_shard = defaultdict(list)
    for key in pending(buffer, keys):
        by_shard[layout.shard_of(buffer, key)].append(key)
    end, done = time.monotonic() + seconds, 0
    try:
        for shard, some in sorted(by_shard.items()):
            lease = Lease(buffer, shard)
            lease.wait(end)
            try:
                done += flushing.write(lease, *flushing.taken(buffer, shard, some))
            finally:
                lease.release()
    except AWAY as error:
        raise PendingUnknown(str(error)) from error
    return done
