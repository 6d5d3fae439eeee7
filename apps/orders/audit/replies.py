"""9: a finished idempotency key is answered with the same body, for as long as it is kept."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
import orjson

from apps.catalog.contracts import CountReport, FeedReport, StockLevel
from apps.common.contracts import encode, from_builtins
from apps.common.databases import fetch_all
from apps.messaging.models import IdempotencyRecord
from apps.orders.audit.report import CheckResult
from apps.orders.contracts import CommandAccepted, OrderPlaced, ReturnAccepted
from apps.orders.enums import DATABASE

CHUNK = 2_000
# What the commands of each database answer with.
ANSWERS = {
    DATABASE: (OrderPlaced, CommandAccepted, ReturnAccepted),
    "catalog": (StockLevel, FeedReport, CountReport),
}


def idempotency_replayable() -> CheckResult:
    """Every stored answer can be given again as it stands, and tells of what exists."""
    checked, wrong = 0, {}
    for alias in ANSWERS:
        for chunk in _records(alias):
            checked += len(chunk)
            orders = _orders([one.response for one in chunk])
            for record in chunk:
                if why := _wrong(record, ANSWERS[alias], orders):
                    wrong[f"{alias}:{record.principal}:{record.key}"] = why
    return CheckResult(checked, wrong)


def _records(alias: str) -> Iterator[list[IdempotencyRecord]]:
    last = 0
    records = IdempotencyRecord.objects.using(alias).order_by("pk")
    while chunk := list(records.filter(pk__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1].pk


def _orders(responses: Sequence[Any]) -> dict[str, tuple[str, dict[str, str]]]:
    """Saga and total of the orders that the answers tell of, by id."""
    ids = [one["order_id"] for one in responses if isinstance(one, dict) and "order_id" in one]
    rows = fetch_all(
        DATABASE,
        "SELECT id, saga_id, total, currency FROM orders_order WHERE id = ANY(%s)",
        [[UUID(one) for one in ids if _is_uuid(one)]],
    )
    return {str(row[0]): (str(row[1]), {"amount": str(row[2]), "currency": row[3]}) for row in rows}


def _is_uuid(value: Any) -> bool:
    try:
        return str(UUID(value)) == value
    except (AttributeError, TypeError, ValueError):
        return False


def _wrong(record: IdempotencyRecord, kinds: Sequence[type], orders: dict) -> str | None:
    response = record.response
    if not record.request_hash:
        return "its request is unknown, so that any request would be answered"
    if not any(_survives(kind, response) for kind in kinds):
        return "its answer cannot be given again as it stands"
    if "order_id" not in response:
        return None
    order = orders.get(response["order_id"])
    if order is None:
        return "it tells of an order that does not exist"
    if "total" in response and (response["saga_id"], response["total"]) != order:
        return f"it tells of {response['total']} and saga {response['saga_id']}, not of {order}"
    return None


def _survives(kind: type, response: Any) -> bool:
    try:
        return orjson.loads(encode(from_builtins(kind, response))) == response
    except (msgspec.ValidationError, ArithmeticError, KeyError, TypeError, ValueError):
        return False
