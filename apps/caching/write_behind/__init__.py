"""Write-behind: edits are kept in the durable Redis first and go to the database in sets.

``Version`` is (epoch, counter): the counter grows with each change in Redis, the epoch with each
Redis that may have lost some. A row takes a change only if its own version is lower.

    put(BUFFER, [Change(key, {"price": b"9.99"})])   # at once, visible to whoever asks ``pending``
    pending(BUFFER, keys)                            # what readers merge over the row
    drain(BUFFER, keys)                              # before anybody writes those rows directly
    flush(BUFFER, shard)                             # done by workers, in sets
"""

from apps.caching.write_behind.audit import write_behind_drained
from apps.caching.write_behind.changes import put, renew
from apps.caching.write_behind.contracts import (
    Backlog,
    Buffer,
    Change,
    DeadLetter,
    Edit,
    Pending,
    PendingUnknown,
    Refused,
    Rejected,
    Version,
)
from apps.caching.write_behind.draining import drain
from apps.caching.write_behind.flushing import flush, flush_now
from apps.caching.write_behind.letters import dead_letters, discard, redrive
from apps.caching.write_behind.reading import backlog, edits, loss_seconds, oldest, pending
from apps.caching.write_behind.registry import all_buffers, find_buffer, register_buffers

__all__ = [
    "Backlog",
    "Buffer",
    "Change",
    "DeadLetter",
    "Edit",
    "Pending",
    "PendingUnknown",
    "Refused",
    "Rejected",
    "Version",
    "all_buffers",
    "backlog",
    "dead_letters",
    "discard",
    "drain",
    "edits",
    "find_buffer",
    "flush",
    "flush_now",
    "loss_seconds",
    "oldest",
    "pending",
    "put",
    "redrive",
    "register_buffers",
    "renew",
    "write_behind_drained",
]
