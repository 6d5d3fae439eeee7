"""Ranked products with facets: one statement over all that match.

The words of a name count most, then SKU and category, then the description (PostgreSQL's
``ts_rank``); shorter names come first, and the product whose SKU was asked for before all others.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import QuerySet

from apps.catalog.enums import DATABASE
from apps.catalog.searching import words
from apps.catalog.searching.clock import in_time
from apps.catalog.searching.suggesting import instead
from apps.catalog.searching.words import Meaning, Shelf

LADDER = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
Position = tuple[int, UUID]  # of a product in the order: its score and public id

# Prices alone stand with the products: those of a feed must not touch what is searched.
MATCHED = """
    WITH matched AS MATERIALIZED (
        SELECT e.product_id, e.category_id,
               (CASE WHEN e.code = replace(catalog_search_fold(%s), ' ', '') THEN 1000000000 ELSE 0
                END + (ts_rank('{{0.05, 0.2, 0.4, 1}}', e.vector, {wanted}) * 20000000
                       / (20 + e.name_length))::int)::int AS score
        FROM catalog_searchentry e
        WHERE e.vector @@ {wanted} AND e.for_sale {narrowed}
    ), page AS (
        SELECT score, product_id FROM matched {after} ORDER BY {order} LIMIT %s
    )
    SELECT (
        SELECT json_agg(json_build_array(score, name, public_id) ORDER BY score DESC, product_id)
        FROM page JOIN catalog_product ON id = product_id
    )::text
"""
COUNT = ", (SELECT count(*) FROM matched), NULL"
FACETS = """
    , NULL, (SELECT json_agg(json_build_array(category_id, step, count)) FROM (
        SELECT m.category_id, count(*), CASE WHEN price_currency = %s
               THEN width_bucket(price, %s::numeric[]) END AS step
        FROM matched m JOIN catalog_product p ON p.id = m.product_id GROUP BY 1, 3
    ) AS counts)::text
"""
FORWARD, BACKWARD = "-score, product_id", "-score DESC, product_id DESC"
BEYOND = (
    "WHERE (-score, product_id) {sign} (%s, coalesce("
    "(SELECT id FROM catalog_product WHERE public_id = %s), 0))"
)


class Hit(NamedTuple):
    """A product found, with its public id."""

    score: int
    name: str
    product_id: str


@dataclass(frozen=True, slots=True)
class Shelved:
    """Products found in a category and those below it."""

    slug: str
    name: str
    parent: str | None
    count: int


@dataclass(frozen=True, slots=True)
class PriceRange:
    """Products found from this price up to, not including, the other; None = no end."""

    start: Decimal
    end: Decimal | None
    currency: str
    count: int


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found. ``corrected`` is what was searched for instead of words that
    nobody knows, ``relaxed`` whether nothing has all words, so that any of them counted,
    ``suggestions`` what to ask instead where nothing was found, ``counted`` whether there are
    facets."""

    page: tuple[Hit, ...]
    total: int
    categories: tuple[Shelved, ...] = ()
    prices: tuple[PriceRange, ...] = ()
    corrected: str | None = None
    relaxed: bool = False
    suggestions: tuple[str, ...] = ()

    counted: bool = False


def search(
    *,
    text: str,
    limit: int,
    among: QuerySet | None = None,
    currency: str = "",
    after: Position | None = None,
    backward: bool = False,
    facets: bool = True,
) -> Found:
    """The products for sale that ``text`` means, best first, with facets over all of them.

    ``among`` narrows them to the products of a queryset. Prices are counted in ``currency`` (the
    shop's own). Raises ``Unavailable`` (``search_timeout``) when it takes too long.
    """
    with in_time():
        shelves = words.shelves_read()
        asked = words.meanings(text, shelves)
        if not asked:
            return Found((), 0, suggestions=instead(text), counted=facets)
        statement = _Statement(text, limit, among, currency, after, backward, facets, shelves)
        found = statement.run(asked, all_of_them=True)
        if not found.total:
            wider = words.widened(asked)
            if wider != asked:
                asked = wider
                found = statement.run(asked, all_of_them=True)
        if not found.total and len(asked) > 1:
            found = replace(statement.run(asked, all_of_them=False), relaxed=True)
        if not found.total:
            return Found((), 0, suggestions=instead(text), counted=facets)
        return replace(found, corrected=_corrected(asked, found))


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    limit: int
    among: QuerySet | None
    currency: str
    after: Position | None
    backward: bool
    facets: bool
    shelves: Sequence[Shelf]

    def run(self, asked: Sequence[Meaning], *, all_of_them: bool) -> Found:
        wanted, values = _query(asked, " && " if all_of_them else " || ")
        narrowed, narrowing = "", ()
        if self.among is not None:
            narrowed, narrowing = _narrowing(self.among)
        order = BACKWARD if self.backward else FORWARD
        beyond, position = "", ()
        if self.after is not None:
            beyond = BEYOND.format(sign="<" if self.backward else ">")
            position = (-self.after[0], self.after[1])
        sql = MATCHED.format(wanted=wanted, narrowed=narrowed, after=beyond, order=order)
        params = [self.text, *values, *values, *narrowing, *position, self.limit]
        currency = self.currency or settings.DEFAULT_CURRENCY
        if self.facets:
            sql += FACETS
            params += [currency, list(LADDER)]
        else:
            sql += COUNT
        with connections[DATABASE].cursor() as cursor:
            cursor.execute(sql, params)
            rows, total, counts = cursor.fetchone()
        page = tuple(Hit(*row) for row in orjson.loads(rows or b"[]"))
        if not self.facets:
            return Found(page, total)
        counts = orjson.loads(counts or b"[]")
        return Found(
            page,
            sum(count for *_, count in counts),
            tuple(_categories(counts, self.shelves)),
            tuple(_prices(counts, currency)),
            counted=self.facets,
        )


def _narrowing(among: QuerySet) -> tuple[str, Sequence[Any]]:
    try:
        sql, params = among.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:  # a category that nobody knows
        return "AND false", ()
    return f"AND e.product_id IN ({sql})", params


def _query(asked: Sequence[Meaning], join: str) -> tuple[str, list[str]]:
    parts, values = [], []
    for one in asked:
        part = "to_tsquery('catalog_search', %s)"
        values.append(one.query)
        if one.shelves:
            part = f"({part} || %s::tsquery)"
            values.append(" | ".join(f"'#{pk}'" for pk in one.shelves))
        parts.append(part)
    return f"({join.join(parts)})", values


def _categories(counts: Sequence[Any], shelves: Sequence[Shelf]) -> list[Shelved]:
    """Each with what is below it, most products first."""
    parents = {one.pk: one.parent for one in shelves}
    totals: dict[int, int] = {}
    for pk, _, count in counts:
        seen = set()
        while pk in parents and pk not in seen:
            seen.add(pk)
            totals[pk] = totals.get(pk, 0) + count
            pk = parents[pk]
    slugs = {one.pk: one.slug for one in shelves}
    found = [
        Shelved(one.slug, one.name, slugs.get(one.parent), totals[one.pk])
        for one in shelves
        if one.pk in totals
    ]
    return sorted(found, key=lambda one: (-one.count, one.name, one.slug))


def _prices(counts: Sequence[Any], currency: str) -> list[PriceRange]:
    """The steps of the ladder that have products, cheapest first."""
    totals: dict[int, int] = {}
    for _, step, count in counts:
        if step is not None:
            totals[step] = totals.get(step, 0) + count
    return [
        PriceRange(
            Decimal(LADDER[step - 1] if step else 0),
            Decimal(LADDER[step]) if step < len(LADDER) else None,
            currency,
            totals[step],
        )
        for step in sorted(totals)
    ]


def _corrected(asked: Sequence[Meaning], found: Found) -> str | None:
    """What was searched for, with the spellings that the best of what was found has."""
    if not any(len(one.spellings) > 1 or one.corrected for one in asked):
        return None
    best = found.page[0].name.casefold() if found.page else ""
    meant = [
        next((spelling for spelling in one.spellings if spelling in best), one.spellings[0])
        for one in asked
    ]
    return " ".join(meant) if meant != [one.word for one in asked] else None
