"""Looks by itself for edits that wait, in a thread of each worker: what nobody was told of, and
what a worker that died has left, is found here, whether or not beat runs."""

import structlog

from apps.caching.write_behind.connections import client
from apps.caching.write_behind.contracts import PendingUnknown
from apps.caching.write_behind.layout import NUDGED_MS, nudged
from apps.caching.write_behind.nudge import nudge
from apps.caching.write_behind.reading import dirty_shards
from apps.caching.write_behind.registry import all_buffers
from apps.common.polling import Poller

log = structlog.get_logger(__name__)
EVERY_SECONDS = 1.0


def poller(every: float = EVERY_SECONDS) -> Poller:
    """One thread that nudges for each shard with something pending. It never flushes itself."""
    return Poller("write-behind-poller", look, every)


def look() -> None:
    """Once."""
    try:
        for buffer in all_buffers():
            for shard in dirty_shards(buffer):
                if client().set(nudged(buffer, shard), 1, nx=True, px=NUDGED_MS):
                    nudge(buffer.name, shard)
    except PendingUnknown as error:
        log.warning("write_behind.poll_failed", error=str(error))
