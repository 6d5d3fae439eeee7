"""Who flushes a shard: one at a time, so that batches do not wait for each other's rows.

Only for order and speed. Right without it, too: rows are guarded by version, and so is clearing.
"""

import secrets
import time
from dataclasses import dataclass, field

from apps.caching.write_behind import layout, scripts
from apps.caching.write_behind.connections import client, reached, run
from apps.caching.write_behind.contracts import Buffer

LEASE_MS = 10_000  # above the longest batch; whoever dies keeps the shard waiting for so long
WAIT_MS = 2_000


@dataclass
class Lease:
    """The right to flush a shard. All methods raise ``AWAY``."""

    buffer: Buffer
    shard: int
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    def __post_init__(self):
        base = layout.base(self.buffer)
        self._key, self._waiting = f"{base}lease:{self.shard}", f"{base}wait:{self.shard}"

    def acquire(self) -> bool:
        with reached():
            return bool(client().set(self._key, self.token, nx=True, px=LEASE_MS))

    def renew(self) -> bool:
        """Whether it still was ours."""
        return bool(run(scripts.RENEW, [self._key], [self.token, LEASE_MS]))

    def release(self) -> bool:
        """Whether somebody waits for it."""
        return bool(run(scripts.RELEASE, [self._key, self._waiting], [self.token]))

    def wait(self, until: float) -> bool:
        """Acquires it, asking whoever has it to make way, until ``time.monotonic()`` is
        ``until``."""
        while not self.acquire():
            if time.monotonic() >= until:
                return False
            client().set(self._waiting, 1, px=WAIT_MS)
            time.sleep(0.01)
        client().delete(self._waiting)
        return True
