"""What is sold, by the orders' events: gathered per order, noted with the inbox, counted later.

An order's lines and the words that it is confirmed, cancelled or come back reach us in any order:
what follows from all that was heard is decided anew with each. A handler may not call Redis, so it
commits notes, which ``counting`` carries there. A note's key is made of what happened, so that the
same thing told twice is counted once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from apps.catalog.engagement.names import DAY
from apps.catalog.enums import DATABASE
from apps.common.databases import execute
from apps.messaging import inbox
from apps.messaging.contracts import Received

GROUP = "catalog.engagement"
HEARD = "catalog.engagement.heard"
TOPICS = (
    *("order.placed", "order.confirmed", "order.cancelled"),
    *("order.shipped", "order.returned"),
)
RETURN = "return:"
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """Pieces of products to be counted (``sign`` 1) or taken back (-1), on the day of the sale
    (days since 1970, UTC). A ``basket`` says what was bought together as well."""

    key: str
    day: int
    sign: int
    lines: tuple[tuple[str, int], ...]  # product id as 32 hexadecimal digits, pieces
    basket: bool


def facts_of(event: Received) -> Facts:
    """What an event tells of its order."""
    payload = event.payload
    if event.topic == "order.placed":
        return {"lines": _lines(payload.lines)}
    if event.topic == "order.confirmed":
        return {"day": int(event.occurred_at.timestamp() // DAY)}
    if event.topic == "order.cancelled":
        return {"cancelled": True}
    if event.topic == "order.shipped":
        return {"shipped": True}
    return {f"{RETURN}{payload.return_id}": _lines(payload.lines)}


def _lines(lines: Sequence[Any]) -> list[tuple[str, int]]:
    """By product; the same one may stand twice in an order."""
    pieces: dict[str, int] = {}
    for line in lines:
        product = line.product_id.hex
        pieces[product] = pieces.get(product, 0) + line.quantity
    return list(pieces.items())


def decide(order_id: str, heard: Facts) -> tuple[list[Note], Facts]:
    """The notes that follow from all that was ``heard`` of an order, and what to remember of it
    (None: no longer)."""
    notes, news = [], {}
    if heard.get("cancelled"):
        if heard.get("sold") and heard.get("lines"):
            notes.append(_note(f"{order_id}:cancelled", heard, -1, heard["lines"]))
        if heard.get("lines"):
            news["lines"] = None
        return notes, news
    if "day" not in heard or not (heard.get("lines") or heard.get("sold")):
        return [], {}
    if not heard.get("sold"):
        notes.append(_note(f"{order_id}:sold", heard, 1, heard["lines"]))
        news["sold"] = True
    for name, lines in heard.items():
        if name.startswith(RETURN):
            notes.append(_note(f"{order_id}:{name}", heard, -1, lines, basket=False))
            news[name] = None
    if heard.get("shipped") and heard.get("lines"):
        news["lines"] = None  # it is not cancelled any more
    return notes, news


def _note(key: str, heard: Facts, sign: int, lines: Sequence, *, basket: bool = True) -> Note:
    return Note(key, heard["day"], sign, tuple((one, pieces) for one, pieces in lines), basket)


def handle(events: Sequence[Received]) -> None:
    """Notes what the events add to what was heard of their orders."""
    told: dict[str, Facts] = {}
    for event in events:
        told.setdefault(str(event.payload.order_id), {}).update(facts_of(event))
    heard = inbox.gather(DATABASE, HEARD, told)
    notes: list[Note] = []
    learned: dict[str, Mapping[str, Any]] = {}
    for order_id in sorted(heard):
        new, news = decide(order_id, heard[order_id])
        notes += new
        if news:
            learned[order_id] = news
    if learned:
        inbox.gather(DATABASE, HEARD, learned)
    if notes:
        _insert(notes)


def _insert(notes: Sequence[Note]) -> None:
    execute(
        DATABASE,
        "INSERT INTO catalog_salenote (key, day, sign, lines, basket)"
        " SELECT * FROM unnest(%s::text[], %s::int[], %s::int[], %s::jsonb[], %s::boolean[])"
        " ON CONFLICT (key) DO NOTHING",
        [
            [one.key for one in notes],
            [one.day for one in notes],
            [one.sign for one in notes],
            [orjson.dumps(one.lines).decode() for one in notes],
            [one.basket for one in notes],
        ],
    )


def product_of(hexadecimal: str) -> bytes:
    """The member of a product in Redis."""
    return UUID(hexadecimal).bytes
