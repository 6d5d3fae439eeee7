"""Feeds as an ERP sends them."""

import itertools
from uuid import UUID

import orjson
from rest_framework.test import APIClient

from apps.caching import write_behind
from apps.catalog.feed.buffer import PRODUCTS
from apps.catalog.models import Product
from tests.integration.catalog.people import staff

FEED = "/api/v1/catalog/feed"
RIGHTS = ("send_feed", "adjust_stock")
NDJSON = "application/x-ndjson"
_keys = itertools.count(1)


def gbp(amount: str) -> dict:
    return {"amount": amount, "currency": "GBP"}


def ndjson(*lines: dict | bytes) -> bytes:
    return b"\n".join([one if isinstance(one, bytes) else orjson.dumps(one) for one in lines])


def post(client: APIClient, body: bytes, *, key: str = "", form: str = NDJSON):
    headers = {"Idempotency-Key": key or f"feed-{next(_keys)}"}
    return client.generic("POST", FEED, body, content_type=form, headers=headers)


def send(*lines: dict | bytes, client: APIClient | None = None, status: int = 202, **how) -> dict:
    """What is answered to these lines."""
    answer = post(client or staff(*RIGHTS), ndjson(*lines), **how)
    assert answer.status_code == status, answer.content
    return answer.json()


def ends(answer: dict) -> list[tuple]:
    """Line, result, and what is wrong with it as (field, code)."""
    return [
        (one["line"], one["result"], [(e["field"], e["code"]) for e in one.get("errors", ())])
        for one in answer["results"]
    ]


def flush() -> int:
    return write_behind.flush_now(PRODUCTS)


def row(product_id: UUID) -> Product:
    return Product.all_objects.get(public_id=product_id)


def price(product_id: UUID) -> str:
    """What the database has."""
    return str(row(product_id).price.amount)


def shown(product_id: UUID) -> dict:
    """What a visitor gets."""
    answer = APIClient().get(f"/api/v1/products/{product_id}")
    assert answer.status_code == 200, answer.content
    return answer.json()
