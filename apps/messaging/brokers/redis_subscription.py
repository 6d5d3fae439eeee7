"""One consumer of a group on Redis Streams."""

import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import redis

from apps.messaging.brokers.base import Binding, BrokerDown, Delivery, wants
from apps.messaging.brokers.redis_commands import (
    FORGET_CONSUMERS,
    LAST_ID,
    entry_order,
    errors,
    is_missing,
)

BLOCK_SECONDS = 2.0  # of one call: below the socket's time-out


class Tag(NamedTuple):
    key: str
    entry: bytes


class RedisSubscription:
    """Reads the streams ``keys``; acknowledges what is of no topic of ``binding`` by itself.

    Entries that were received but not acknowledged stay pending; whichever consumer of the group
    first finds them untouched for ``claim_after`` seconds gets them again. Putting back ages an
    entry, so that this comes ``again_after`` seconds later.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        binding: Binding,
        consumer: str,
        keys: Sequence[str],
        restore: Callable[[], None],
        claim_after: float,
        again_after: float,
    ):
        self._client, self._binding, self._consumer = client, binding, consumer
        self._group, self._keys, self._restore = binding.group, list(keys), restore
        self._idle = int(claim_after * 1000)
        self._put_back_idle = max(self._idle - int(again_after * 1000), 0)
        self._claim_every = min(claim_after, again_after) / 2
        self._claim_at = 0.0
        self._cursors = dict.fromkeys(self._keys, b"0-0")
        self._wanted: dict[bytes, bool] = {}
        self._buffer: deque[Delivery] = deque()
        self._held: set[Tag] = set()  # received from Redis and neither acknowledged nor put back

    def receive(self, count: int, seconds: float) -> list[Delivery]:
        end = time.monotonic() + seconds
        with errors():
            while True:
                now = time.monotonic()
                if now >= self._claim_at:
                    self._claim(count)
                    self._claim_at = time.monotonic() + self._claim_every
                if not self._buffer:
                    self._read(count, min(end, self._claim_at) - time.monotonic())
                if self._buffer or time.monotonic() >= end:
                    size = min(count, len(self._buffer))
                    return [self._buffer.popleft() for _ in range(size)]

    def ack(self, deliveries: Sequence[Delivery]) -> None:
        with errors():
            self._ack([delivery.tag for delivery in deliveries])

    def put_back(self, deliveries: Sequence[Delivery]) -> None:
        tags = [delivery.tag for delivery in deliveries]
        with errors():
            self._age(tags, self._put_back_idle)
        self._held.difference_update(tags)

    def close(self) -> None:
        try:
            with errors():
                self._leave()
        except BrokerDown:
            pass  # what is pending is claimed after a while, and trimming forgets the consumer
        self._held.clear()
        self._buffer.clear()

    def _leave(self) -> None:
        self._age(self._held, self._idle)
        forget = self._client.register_script(FORGET_CONSUMERS)
        for key in self._keys:
            try:
                forget(keys=[key], args=[self._group, self._consumer, 0])
            except redis.ResponseError as error:
                is_missing(error)

    def _claim(self, count: int) -> None:
        """Takes over what nobody touched for long, before anything new; shows that we live."""
        pipe = self._client.pipeline(transaction=False)
        for key in self._keys:
            pipe.xautoclaim(
                key, self._group, self._consumer, self._idle, self._cursors[key], count=count
            )
        # Reading on after the last of all ids is what Redis 6.2 takes for a sign of life.
        pipe.xreadgroup(self._group, self._consumer, {self._keys[0]: LAST_ID}, count=1)
        buffered = {delivery.tag for delivery in self._buffer}
        *answers, sign = pipe.execute(raise_on_error=False)
        is_missing(sign)
        found: list[tuple[str, list]] = []
        for key, answer in zip(self._keys, answers, strict=True):
            if not is_missing(answer):  # reading notices too, and makes the group again
                self._cursors[key] = answer[0]
                found.append((key, [one for one in answer[1] if (key, one[0]) not in buffered]))
        self._take(found, redelivered=True)

    def _read(self, count: int, seconds: float) -> None:
        """What is new in the streams; waits up to ``seconds`` for the first, less if they are
        many. A stream may give ``count`` entries, so the buffer holds that many of each."""
        block = int(min(seconds, BLOCK_SECONDS) * 1000)
        try:
            answer = self._client.xreadgroup(
                self._group,
                self._consumer,
                dict.fromkeys(self._keys, ">"),
                count=count,
                block=block if block > 0 else None,  # 0 would be for ever
            )
        except redis.ResponseError as error:
            is_missing(error)
            self._restore()
        else:
            self._take(((key.decode(), found) for key, found in answer), redelivered=False)

    def _take(self, streams: Iterable[tuple[str, list]], *, redelivered: bool) -> None:
        """Into the buffer, in the order of publication across the streams."""
        unwanted: list[Tag] = []
        found: list[Delivery] = []
        for key, entries in streams:
            for entry, fields in entries:
                if entry is None:  # claimed, but deleted by somebody
                    continue
                tag = Tag(key, entry)
                if self._wants(fields.get(b"t", b"")):
                    found.append(Delivery(tag, fields.get(b"b", b""), redelivered))
                else:
                    unwanted.append(tag)
        found.sort(key=lambda delivery: entry_order(delivery.tag.entry))
        self._held.update(delivery.tag for delivery in found)
        self._buffer.extend(found)
        self._ack(unwanted)

    def _wants(self, topic: bytes) -> bool:
        wanted = self._wanted.get(topic)
        if wanted is None:
            wanted = wants(self._binding, topic.decode(errors="replace"))
            self._wanted[topic] = wanted
        return wanted

    def _ack(self, tags: Iterable[Tag]) -> None:
        entries = _by_stream(tags)
        if not entries:
            return
        pipe = self._client.pipeline(transaction=False)
        for key, ids in entries.items():
            pipe.xack(key, self._group, *ids)
        pipe.execute()
        self._held.difference_update(tags)

    def _age(self, tags: Iterable[Tag], milliseconds: int) -> None:
        """Makes the entries as old as that, so that XAUTOCLAIM finds them sooner."""
        pipe = self._client.pipeline(transaction=False)
        for key, ids in _by_stream(tags).items():
            pipe.xclaim(
                key, self._group, self._consumer, 0, list(ids), idle=milliseconds, justid=True
            )
        for answer in pipe.execute(raise_on_error=False):
            is_missing(answer)


def _by_stream(tags: Iterable[Tag]) -> dict[str, list[bytes]]:
    entries: dict[str, list[bytes]] = defaultdict(list)
    for key, entry in tags:
        entries[key].append(entry)
    return entries
