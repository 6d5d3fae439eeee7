"""Edits that wait, and those that the database refused, as staff look at them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from apps.caching import write_behind
from apps.caching.write_behind import Version
from apps.catalog.enums import DATABASE
from apps.catalog.feed import edits
from apps.catalog.feed.buffer import PRODUCTS
from apps.catalog.models import Product

MOST_LOOKED_AT = 1_000
NEW, DONE, DELETED, UNKNOWN = "waits", "in the database", "product deleted", "no such product"


@dataclass(frozen=True, slots=True)
class ShownField:
    """What a field is in the row and would become; ``after`` is empty where it goes."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ShownEdit:
    """``age`` in seconds; ``reason`` and ``letter`` of those that were refused."""

    key: str
    pk: int | None
    sku: str
    name: str
    fields: tuple[ShownField, ...]
    actor: str
    version: str
    age: float
    state: str
    reason: str = ""
    letter: str = ""


def edits_waiting(*, term: str = "", most: int = 100) -> list[ShownEdit]:
    """Those that wait longest, of products whose SKU, name or id holds ``term``; only the 1,000
    oldest are looked at. Raises ``PendingUnknown`` while Redis is away."""
    oldest = write_behind.oldest(PRODUCTS, MOST_LOOKED_AT if term else most)
    rows = _rows(one.key for one, _ in oldest)
    found = [_shown(one.key, one.version, one.fields, age, rows) for one, age in oldest]
    term = term.lower()
    return [one for one in found if term in f"{one.sku} {one.name} {one.key}".lower()][:most]


def edits_refused(*, most: int = 100) -> list[ShownEdit]:
    """The dead letters, the newest first; raises ``PendingUnknown`` while Redis is away."""
    letters = write_behind.dead_letters(PRODUCTS, most=most)
    rows = _rows(one.key for one in letters)
    return [
        _shown(one.key, one.version, one.fields, one.age, rows, reason=one.reason, letter=one.id)
        for one in letters
    ]


def _rows(keys: Iterable[str]) -> Mapping[str, Product]:
    ids = [UUID(key) for key in keys if _is_id(key)]
    rows = Product.all_objects.using(DATABASE).filter(public_id__in=ids)
    return {str(row.public_id): row for row in rows}


def _is_id(key: str) -> bool:
    try:
        return str(UUID(key)) == key
    except ValueError:
        return False


def _shown(
    key: str,
    version: Version,
    fields: Mapping[str, bytes],
    age: float,
    rows: Mapping[str, Product],
    **more: str,
) -> ShownEdit:
    row = rows.get(key)
    return ShownEdit(
        key=key,
        pk=row and row.pk,
        sku=row.sku if row else "",
        name=row.name if row else "",
        fields=tuple(_fields(fields, row)),
        actor=fields.get(edits.ACTOR, b"").decode(errors="replace"),
        version="{}.{}".format(*version),
        age=age,
        state=_state(version, row),
        **more,
    )


def _state(version: Version, row: Product | None) -> str:
    if row is None:
        return UNKNOWN
    if row.deleted is not None:
        return DELETED
    return NEW if version > (row.feed_epoch, row.feed_counter) else DONE


def _fields(fields: Mapping[str, bytes], row: Product | None) -> Sequence[ShownField]:
    shown = []
    for name, raw in sorted(fields.items()):
        if name in (edits.ACTOR, edits.REQUEST):
            continue
        after = raw.decode(errors="replace")
        if name.startswith(edits.ATTRIBUTE):
            known = name.removeprefix(edits.ATTRIBUTE)
            had = row is not None and known in row.attributes
            before = _plain(row.attributes[known]) if had else ""
            shown.append(ShownField(known, before, "" if raw == edits.NULL else after))
        else:
            known = row is not None and name == edits.PRICE
            before = f"{row.price.amount} {row.price.currency.code}" if known else ""
            shown.append(ShownField(name, before, after))
    return shown


def _plain(value: Any) -> str:
    return orjson.dumps(value).decode()
