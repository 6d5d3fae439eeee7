"""All orders in which a reader's fill and two mortal writers can meet, played on a real Redis.

Each order has a key of its own, so that the same step of thousands of orders is one script call.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

from apps.caching import scripts
from apps.caching.fence import STAMP, Fence, Look
from apps.caching.keys import Key, tag

# What a writer does: begins, commits (or rolls back: nothing), ends; or dies, and its entry ends.
WRITERS = ("bce", "be", "bcx", "bx")
READER = "lgf"  # looks, gets the row, fills
Step = tuple[str, str]  # who, what
LIVES_MS = 600_000
AT_ONCE = 500  # orders of one script call


def orders(writers: Sequence[str] = WRITERS, reader: str = READER) -> Iterator[tuple[Step, ...]]:
    """Every order of the reader and two of ``writers``; which of them is the first is no matter."""
    for one, other in itertools.combinations_with_replacement(writers, 2):
        yield from merged((("r", reader), ("1", one), ("2", other)))


def merged(actors: Sequence[tuple[str, str]]) -> Iterator[tuple[Step, ...]]:
    """All ways to take turns in which each actor's steps keep their order."""
    if not any(steps for _, steps in actors):
        yield ()
    for at, (who, steps) in enumerate(actors):
        if steps:
            rest = [*actors[:at], (who, steps[1:]), *actors[at + 1 :]]
            for others in merged(rest):
                yield ((who, steps[0]), *others)


class Stage:
    """Plays ``orders`` side by side; a row is the number of its last committed writer."""

    def __init__(self, fence: Fence, orders: Sequence[tuple[Step, ...]], *, filled: bool = False):
        self.fence, self.orders = fence, orders
        self.rows = ["0"] * len(orders)
        self.read: dict[tuple[int, str], str] = {}  # by order and reader: what it will fill
        self.fills = 0
        self.moves: dict[str, Callable[[str, list[int]], None]] = {
            "l": self.look,
            "g": self.get,
            "f": self.fill,
            "b": self.begin,
            "c": self.commit,
            "e": self.end,
            "x": self.expire,
        }
        if filled:
            everyone = list(range(len(orders)))
            for what in READER:
                self.move(("first", what), everyone)
            self.fills = 0

    def play(self) -> None:
        for at in range(max(map(len, self.orders))):
            together: dict[Step, list[int]] = defaultdict(list)
            for number, order in enumerate(self.orders):
                if at < len(order):
                    together[order[at]].append(number)
            for step, numbers in together.items():
                self.move(step, numbers)

    def move(self, step: Step, numbers: list[int]) -> None:
        who, what = step
        for start in range(0, len(numbers), AT_ONCE):
            self.moves[what](who, numbers[start : start + AT_ONCE])

    def key(self, number: int) -> Key:
        return Key("order", str(number))

    def written(self, number: int) -> Key:
        """What a writer fences off."""
        return self.key(number)

    # --- a reader's steps ------------------------------------------------------------------------

    def look(self, who: str, numbers: list[int]) -> None:
        keys = [self.key(number) for number in numbers]
        for number, look in zip(numbers, self.fence.look(keys, who), strict=True):
            if look.state == scripts.LEASED:
                self.read[number, who] = ""

    def get(self, who: str, numbers: list[int]) -> None:
        for number in numbers:
            if (number, who) in self.read:
                self.read[number, who] = self.rows[number]

    def fill(self, who: str, numbers: list[int]) -> None:
        values = {
            self.key(number): (LIVES_MS, self.fields(number, who))
            for number in numbers
            if (number, who) in self.read
        }
        if values:
            self.fills += sum(self.fence.fill(values, who))

    def fields(self, number: int, who: str) -> dict:
        return {"v": self.read[number, who], STAMP: who}

    # --- a writer's ------------------------------------------------------------------------------

    def begin(self, who: str, numbers: list[int]) -> None:
        self.fence.begin([self.written(number) for number in numbers], who)

    def commit(self, who: str, numbers: list[int]) -> None:
        for number in numbers:
            self.rows[number] = who

    def end(self, who: str, numbers: list[int]) -> None:
        self.fence.end([self.written(number) for number in numbers], who)

    def expire(self, who: str, numbers: list[int]) -> None:
        """What time does to the entry of a writer that died."""
        pipe = self.fence.client.pipeline(transaction=False)
        for number in numbers:
            pipe.zrem(self.written(number).writers, who)
        pipe.execute()

    # --- at rest ---------------------------------------------------------------------------------

    def stale(self) -> list[tuple[Step, ...]]:
        """The orders after which the cache serves what is not in the row."""
        served = self.served()
        return [
            order
            for number, order in enumerate(self.orders)
            if served[number] not in (None, self.rows[number])
        ]

    def served(self) -> list[str | None]:
        """What anybody who asks now gets without the database."""
        return [_value(look) for part in self._everyone() for look in self._look(part)]

    def _look(self, numbers: list[int]) -> list[Look]:
        return self.fence.look([self.key(number) for number in numbers], "last")

    def _everyone(self) -> Iterator[list[int]]:
        for start in range(0, len(self.orders), AT_ONCE):
            yield list(range(len(self.orders)))[start : start + AT_ONCE]


class TaggedStage(Stage):
    """The same with a value under a tag that the writers write to."""

    def __init__(self, *args, **words):
        self.generations: dict[tuple[int, str], bytes] = {}
        super().__init__(*args, **words)

    def written(self, number: int) -> Key:
        return tag(str(number))

    def look(self, who: str, numbers: list[int]) -> None:
        for number, page, under in self._looks(who, numbers):
            if under.state != scripts.HIT or _is_current(page, under):
                continue
            self.generations[number, who] = under.generation
            if page.state == scripts.HIT:  # of another generation
                page = self.fence.lease(self.key(number), who)
            if page.state == scripts.LEASED:
                self.read[number, who] = ""

    def fields(self, number: int, who: str) -> dict:
        return super().fields(number, who) | {"_g": self.generations[number, who]}

    def served(self) -> list[str | None]:
        return [
            _value(page) if _is_current(page, under) else None
            for part in self._everyone()
            for _, page, under in self._looks("last", part)
        ]

    def _looks(self, who: str, numbers: list[int]) -> Iterator[tuple[int, Look, Look]]:
        keys, tags = map(self.key, numbers), map(self.written, numbers)
        looks = self.fence.look(list(keys), who, list(tags))
        return zip(numbers, looks[: len(numbers)], looks[len(numbers) :], strict=True)


class NaiveStage(Stage):
    """What everybody writes first: read, set; commit, delete."""

    def look(self, who: str, numbers: list[int]) -> None:
        keys = [self.key(number).value for number in numbers]
        pipe = self.fence.client.pipeline(transaction=False)
        for key in keys:
            pipe.exists(key)
        for number, there in zip(numbers, pipe.execute(), strict=True):
            if not there:
                self.read[number, who] = ""

    def fill(self, who: str, numbers: list[int]) -> None:
        pipe = self.fence.client.pipeline(transaction=False)
        for number in numbers:
            if (number, who) in self.read:
                pipe.hset(self.key(number).value, mapping=self.fields(number, who))
        self.fills += len(pipe.execute())

    def begin(self, who: str, numbers: list[int]) -> None:
        """Nobody is told."""

    def end(self, who: str, numbers: list[int]) -> None:
        self.fence.client.unlink(*[self.key(number).value for number in numbers])


def _value(look: Look) -> str | None:
    return look.fields[b"v"].decode() if look.state == scripts.HIT else None


def _is_current(page: Look, under: Look) -> bool:
    return page.state == under.state == scripts.HIT and page.fields.get(b"_g") == under.generation
