"""Events on Redis Streams (Redis 6.2 or newer): a stream per kind of topic, a consumer group each.

The server must be the durable kind: ``appendonly yes`` and ``maxmemory-policy noeviction``. With
``appendfsync everysec`` a crash of the machine may cost the last second or two of what was
confirmed; a crash of Redis alone costs nothing the kernel had. An entry is ``n`` (its number in
the stream), ``t`` (topic) and ``b`` (body). See docs/decisions/0018-brokers.md.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.messaging.brokers.base import Binding, GroupState, Outgoing, refusal
from apps.messaging.brokers.redis_commands import (
    APPEND,
    FORGET_CONSUMERS,
    entry_order,
    errors,
    is_missing,
)
from apps.messaging.brokers.redis_subscription import RedisSubscription

SOCKET_SECONDS = 5.0
CONNECT_SECONDS = 1.0
CHUNK_BYTES = 8 * 1024 * 1024  # the most that one call of the script carries


class RedisStreams:
    """``kinds`` tells all kinds of topics there are, for those who want ``*``; ``bindings`` are
    known without being declared.

    What a consumer holds for ``claim_after`` seconds without acknowledging it goes to another;
    what was put back comes again after ``again_after`` seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        prefix: str,
        kinds: Callable[[], Iterable[str]],
        bindings: Iterable[Binding] = (),
        max_bytes: int,
        claim_after: float,
        again_after: float,
    ):
        self.prefix, self.claim_after, self.again_after = prefix, claim_after, again_after
        self._kinds, self._max_bytes = kinds, max_bytes
        self._bindings = {binding.group: binding for binding in bindings}
        self._declared: set[tuple[str, str]] = set()  # group and stream
        self.client = redis.Redis.from_url(
            url,
            protocol=2,
            socket_timeout=SOCKET_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),  # whoever calls decides whether to try again
        )
        self._append = self.client.register_script(APPEND)
        self._forget = self.client.register_script(FORGET_CONSUMERS)

    def declare(self, bindings: Sequence[Binding]) -> None:
        self._bindings |= {binding.group: binding for binding in bindings}
        wanted = [
            (binding.group, key) for binding in bindings for key in self.streams(binding.group)
        ]
        with errors():
            pipe = self.client.pipeline(transaction=False)
            keys = sorted({key for _, key in wanted})
            for key in keys:
                pipe.xinfo_groups(key)
            found = dict(zip(keys, pipe.execute(raise_on_error=False), strict=True))
            # A stream without any group has lost them all: nothing of it was delivered yet.
            lost = {key for key, groups in found.items() if is_missing(groups) or not groups}
            self._make_groups(wanted, lost)

    def restore(self) -> None:
        """Makes the groups that were declared here and lost since (a flushed or restored server)
        again, from the start of what there is."""
        with errors():
            self._make_groups(self._declared, set())

    def _make_groups(self, wanted: Iterable[tuple[str, str]], lost: set[str]) -> None:
        """Those that do exist stay as they are; those that did not yet begin at the end."""
        pipe = self.client.pipeline(transaction=True)  # another process sees all of them or none
        for group, key in wanted:
            begun = key in lost or (group, key) in self._declared
            pipe.xgroup_create(key, group, "0" if begun else "$", mkstream=True)
        for answer in pipe.execute(raise_on_error=False):
            if isinstance(answer, Exception) and not str(answer).startswith("BUSYGROUP"):
                raise answer
        self._declared.update(wanted)

    def publish(self, messages: Sequence[Outgoing]) -> list[str | None]:
        results = [refusal(message, self._max_bytes) for message in messages]
        good = [m for m, error in zip(messages, results, strict=True) if error is None]
        with errors():
            for chunk in _chunks(good):
                self._publish(chunk)
        return results

    def _publish(self, messages: list[Outgoing]) -> None:
        """One round trip; the server appends all of them before it does anything else."""
        numbers: dict[str, int] = {}
        arguments: list[Any] = []
        for message in messages:
            key = self.stream(message.topic)
            arguments += (numbers.setdefault(key, len(numbers) + 2), message.topic, message.body)
        self._append(keys=[f"{self.prefix}:events-last-id", *numbers], args=arguments)

    def subscribe(self, group: str, consumer: str) -> RedisSubscription:
        return RedisSubscription(
            self.client,
            binding=self._bindings[group],
            consumer=consumer,
            keys=self.streams(group),
            restore=self.restore,
            claim_after=self.claim_after,
            again_after=self.again_after,
        )

    def state(self, group: str) -> GroupState:
        """``waiting`` counts whatever is in the group's streams, also topics it does not want."""
        keys = self.streams(group)
        with errors():
            pipe = self.client.pipeline(transaction=False)
            for key in keys:
                pipe.xinfo_groups(key)
                pipe.xinfo_consumers(key, group)
                pipe.xrevrange(key, count=1)
            answers = pipe.execute(raise_on_error=False)
            known = [
                (key, _group(answers[3 * i], group), *answers[3 * i + 1 : 3 * i + 3])
                for i, key in enumerate(keys)
            ]
            for key, info, _, _ in known:
                pipe.xrange(key, info["last-delivered-id"], "+", count=1)
            nexts = pipe.execute()
        seen = {
            one["name"]
            for _, _, consumers, _ in known
            if not is_missing(consumers)
            for one in consumers
            if one["idle"] <= self.claim_after * 1000
        }
        return GroupState(
            waiting=sum(
                _behind(info["last-delivered-id"], after, last)
                for (_, info, _, last), after in zip(known, nexts, strict=True)
            ),
            pending=sum(info["pending"] for _, info, _, _ in known),
            consumers=len(seen),
        )

    def unroutable(self) -> int:
        return 0

    def trim(self) -> int:
        """Also forgets consumers that hold nothing and were not seen for long."""
        self.restore()
        return sum(self._trim(key) for key in sorted({key for _, key in self._declared}))

    def _trim(self, key: str) -> int:
        with errors():
            groups = self.client.xinfo_groups(key)
            pipe = self.client.pipeline(transaction=False)
            for group in groups:
                pipe.xpending(key, group["name"])
            oldest = [
                pending["min"] or group["last-delivered-id"]
                for group, pending in zip(groups, pipe.execute(), strict=True)
            ]
            for group in groups:
                idle = int(10 * self.claim_after * 1000)
                self._forget(keys=[key], args=[group["name"], "", idle])
            # The last entry stays, for its number.
            return self.client.xtrim(key, minid=min(oldest, key=entry_order), approximate=False)

    def close(self) -> None:
        self.client.close()

    def stream(self, topic: str) -> str:
        return f"{self.prefix}:events:{topic.partition('.')[0]}"

    def streams(self, group: str) -> list[str]:
        """The streams that ``group`` reads; raises ``LookupError`` where it is not known."""
        topics = self._bindings[group].topics
        kinds = self._every_kind() if "*" in topics else topics
        return sorted({self.stream(kind) for kind in kinds})

    def _every_kind(self) -> set[str]:
        named = {topic for binding in self._bindings.values() for topic in binding.topics}
        return {topic.partition(".")[0] for topic in (*self._kinds(), *named)} - {"*"}


def _chunks(messages: list[Outgoing]) -> Iterator[list[Outgoing]]:
    chunk: list[Outgoing] = []
    size = 0
    for message in messages:
        if chunk and size + len(message.body) > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(message)
        size += len(message.body)
    if chunk:
        yield chunk


def _group(groups: Any, name: str) -> dict[str, Any]:
    """What XINFO says of the group; as at its beginning where it is missing."""
    found = [] if is_missing(groups) else groups
    missing = {"last-delivered-id": b"0-0", "pending": 0}
    return next((one for one in found if one["name"] == name.encode()), missing)


def _behind(delivered: bytes, after: list, last: list) -> int:
    """Entries behind ``delivered``, by their numbers: ``after`` holds the first entry that is not
    older, ``last`` the newest."""
    if not after or not last:
        return 0
    (found, fields), (_, newest) = after[0], last[0]
    return int(newest[b"n"]) - int(fields[b"n"]) + (found != delivered)
