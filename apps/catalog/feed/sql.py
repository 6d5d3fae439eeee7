"""The statements of the feed: one for all products of a request or a batch."""

from collections.abc import Collection, Sequence
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

import msgspec

from apps.catalog.enums import DATABASE
from apps.catalog.event_contracts import PRODUCT_UPDATED
from apps.catalog.feed.edits import ProductEdit
from apps.common.databases import array, execute, fetch_all, fetch_one, require_atomic
from apps.common.ids import new_id

EPOCHS = "catalog_feed_epoch"
# Characters of a product's attributes as PostgreSQL writes them, with blanks; what comes in one
# request is bounded by ``checks.MAX_ATTRIBUTES`` bytes.
MAX_ATTRIBUTES = 131_072

# A row takes an edit once, and never an older one after a newer; without a version it takes it
# anyway. What changes nothing leaves the product's version alone. What was before is read under
# the row's lock. The event is that of ``apps.catalog.events.products_updated`` (a test compares).
# A row of counter 0 was written while nobody could say what waits: an older edit is lost on it.
WRITE = """
WITH new AS MATERIALIZED (
    SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::numeric[], %s::text[],
                         %s::jsonb[], %s::text[], %s::text[], %s::text[], %s::uuid[])
        AS new(public_id, epoch, counter, amount, currency, merged, removed, actor, request,
               event_id)
), held AS MATERIALIZED (
    SELECT p.id, p.price AS amount_before, p.price_currency AS currency_before,
           p.attributes AS attributes_before,
           coalesce(new.amount, p.price)::numeric(12, 2) AS amount,
           coalesce(new.currency, p.price_currency) AS currency,
           CASE WHEN new.merged IS NULL AND new.removed IS NULL THEN p.attributes
                ELSE (p.attributes || coalesce(new.merged, '{}'))
                     - coalesce(new.removed, '{}')::text[] END AS attributes,
           coalesce(new.epoch, p.feed_epoch) AS epoch,
           coalesce(new.counter, p.feed_counter) AS counter,
           new.epoch IS NULL OR (p.feed_epoch, p.feed_counter) < (new.epoch, new.counter) AS fresh,
           p.feed_epoch > new.epoch AND p.feed_counter = 0 AS outdated,
           new.actor, new.request, new.event_id
    FROM catalog_product p JOIN new USING (public_id)
    WHERE p.deleted IS NULL
    ORDER BY p.id FOR NO KEY UPDATE OF p
), wanted AS MATERIALIZED (
    SELECT *, amount <> amount_before OR currency <> currency_before AS priced,
           attributes <> attributes_before AS altered,
           attributes <> attributes_before AND length(attributes::text) > %s AS too_long
    FROM held WHERE fresh OR outdated
), done AS (
    UPDATE catalog_product p
    SET price = wanted.amount, price_currency = wanted.currency, attributes = wanted.attributes,
        version = p.version + (priced OR altered)::int,
        feed_epoch = wanted.epoch, feed_counter = wanted.counter,
        updated_at = CASE WHEN priced OR altered THEN statement_timestamp() ELSE p.updated_at END
    FROM wanted WHERE p.id = wanted.id AND fresh AND NOT too_long
    RETURNING p.public_id, p.version, p.sku, p.name, p.slug, p.active, p.category_id, wanted.*
), recorded AS (
    INSERT INTO catalog_pricechange
        (actor, product_id, before, before_currency, after, after_currency, version)
    SELECT actor, id, amount_before, currency_before, amount, currency, version
    FROM done WHERE priced
), told AS (
    INSERT INTO messaging_outbox
        (event_id, topic, aggregate, aggregate_version, schema_version, payload, headers)
    SELECT event_id, %s::text, %s::text || done.public_id, done.version, %s::smallint,
           jsonb_build_object(
               'product_id', done.public_id, 'sku', sku, 'name', done.name, 'slug', done.slug,
               'price', jsonb_build_object('amount', amount::text, 'currency', currency),
               'active', active,
               'category', CASE WHEN c.id IS NULL THEN 'null'::jsonb ELSE
                   jsonb_build_object('category_id', c.public_id, 'name', c.name) END),
           CASE WHEN request = '' THEN '{}'::jsonb ELSE
               jsonb_build_object('correlation_id', request) END
    FROM done LEFT JOIN catalog_category c ON c.id = done.category_id
    WHERE priced OR altered
)
SELECT public_id, CASE WHEN priced THEN 'priced' ELSE 'altered' END FROM done
WHERE priced OR altered
UNION ALL
SELECT p.public_id, CASE WHEN fresh THEN 'too_long' ELSE 'outdated' END
FROM wanted JOIN catalog_product p USING (id)
WHERE CASE WHEN fresh THEN too_long ELSE priced OR altered END
"""


class Outcome(StrEnum):
    """What an edit did to its product, if anything; the last two did nothing."""

    PRICED = "priced"  # it has another price, and perhaps other attributes
    ALTERED = "altered"  # it has other attributes
    TOO_LONG = "too_long"  # its attributes would be more than can be kept
    OUTDATED = "outdated"  # a direct change is newer, made while the edit could not be seen


class Known(NamedTuple):
    """A living product; ``size`` are the characters of its attributes."""

    key: str
    sku: str
    size: int


def write_edits(
    edits: Sequence[tuple[str, int | None, int | None, ProductEdit]],
) -> dict[UUID, Outcome]:
    """Writes edits by (public id, epoch, counter), with history and events; one per product. An
    edit without epoch is written in any case. Products that stay as they were are left out."""
    encode = msgspec.json.Encoder().encode
    those = [edit for *_, edit in edits]
    rows = fetch_all(
        DATABASE,
        WRITE,
        [
            [key for key, *_ in edits],
            [epoch for _, epoch, *_ in edits],
            [counter for _, _, counter, _ in edits],
            [one.price[0] if one.price else None for one in those],
            [one.price[1] if one.price else None for one in those],
            [encode(one.attributes).decode() if one.attributes else None for one in those],
            [array(one.removed) if one.removed else None for one in those],
            [one.actor for one in those],
            [one.request for one in those],
            [new_id() for _ in those],
            MAX_ATTRIBUTES,
            PRODUCT_UPDATED.topic,
            f"{PRODUCT_UPDATED.aggregate_kind}:",
            PRODUCT_UPDATED.version,
        ],
        prepared=True,
    )
    return {public_id: Outcome(word) for public_id, word in rows}


def versions(keys: Collection[str]) -> dict[str, tuple[int, int]]:
    """Epoch and counter of the newest edit that each living product has."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT public_id::text, feed_epoch, feed_counter FROM catalog_product
        WHERE public_id = ANY(%s::uuid[]) AND deleted IS NULL
        """,
        [list(keys)],
    )
    return {key: (epoch, counter) for key, epoch, counter in rows}


def lock_versions(keys: Collection[str]) -> dict[str, tuple[int, int]]:
    """As ``versions``, under their locks."""
    rows = fetch_all(
        DATABASE,
        """
        SELECT public_id::text, feed_epoch, feed_counter FROM catalog_product
        WHERE public_id = ANY(%s::uuid[]) AND deleted IS NULL ORDER BY id FOR NO KEY UPDATE
        """,
        [list(keys)],
        prepared=True,
    )
    return {key: (epoch, counter) for key, epoch, counter in rows}


def living(
    skus: Collection[str], keys: Collection[str]
) -> tuple[dict[str, Known], dict[str, Known], int]:
    """The living products of these SKUs and of these public ids, and the newest epoch."""
    rows = fetch_all(
        DATABASE,
        f"""
        SELECT true, public_id::text, sku, pg_column_size(attributes) FROM catalog_product
        WHERE sku = ANY(%s::text[]) AND deleted IS NULL
        UNION ALL
        SELECT false, public_id::text, sku, pg_column_size(attributes) FROM catalog_product
        WHERE public_id = ANY(%s::uuid[]) AND deleted IS NULL
        UNION ALL
        SELECT NULL, '', '', last_value FROM {EPOCHS}
        """,
        [list(skus), list(keys)],
        prepared=True,
    )
    by_sku = {row[2]: Known(*row[1:]) for row in rows if row[0]}
    by_key = {row[1]: Known(*row[1:]) for row in rows if row[0] is False}
    return by_sku, by_key, rows[-1][3]


def next_epoch() -> int:
    """A new epoch, above all others."""
    [epoch] = fetch_one(DATABASE, f"SELECT nextval('{EPOCHS}')")
    return epoch


def outdate(ids: Collection[UUID]) -> None:
    """Makes the rows of these products newer than all edits of them that wait; in the transaction
    of whoever writes them without seeing those."""
    require_atomic(DATABASE)
    execute(
        DATABASE,
        """
        UPDATE catalog_product SET feed_epoch = %s, feed_counter = 0
        WHERE public_id = ANY(%s::uuid[])
        """,
        [next_epoch(), list(ids)],
    )
