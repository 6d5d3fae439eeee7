"""The search uses its indexes, and does without trigrams where it must: PostgreSQL's own plans."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from apps.catalog import searching
from apps.catalog.searching import words
from bench.data import TABLES
from bench.search.data import insert_products
from bench.search.questions import more_names
from tests.integration.catalog.searching.conftest import NAMES

pytestmark = pytest.mark.django_db(databases=["default", "catalog"])
PRODUCTS = 12_000
# As of a shop with many names.
MORE_WORDS = """
    INSERT INTO catalog_searchword
    SELECT word, word, 1, catalog_search_near(word) FROM (
        SELECT translate(md5(n::text), '0123456789', 'ghijklmnop') AS word
        FROM generate_series(1, 5000) n
    ) AS made
"""


def plans(act) -> str:
    """The plans of all statements about entries and words that ``act`` runs."""
    with CaptureQueriesContext(connections["catalog"]) as queries:
        act()
    found = []
    with connections["catalog"].cursor() as cursor:
        for query in queries:
            if "catalog_searchentry" in query["sql"] or "catalog_searchword" in query["sql"]:
                cursor.execute(f"EXPLAIN {query['sql'].replace('%', '%%')}", ())
                found += [line for (line,) in cursor.fetchall()]
    return "\n".join(found)


def search(text: str, **more) -> str:
    return plans(lambda: searching.search(text=text, limit=20, **more))


def test_the_indexes_are_used():
    names = more_names(NAMES, PRODUCTS)
    insert_products(names, [f"R{place}" for place in range(PRODUCTS)])
    with connections["catalog"].cursor() as cursor:
        cursor.execute(MORE_WORDS)
        cursor.execute("SELECT gin_clean_pending_list('catalog_searchentry_vector')")
        cursor.execute(f"ANALYZE {TABLES}")
    for plan, indexes in (
        (search("metal lantern"), {"catalog_searchentry_vector", "catalog_searchword_stem"}),
        (search("R4711"), {"catalog_searchentry_vector"}),
        (
            search("metal lantren", facets=False),
            {
                "catalog_searchentry_vector",
                "catalog_searchword_near",
                "catalog_searchword_trigrams",
            },
        ),
        (
            plans(lambda: searching.suggest(text="white lant", limit=5)),
            {"catalog_searchentry_vector"},
        ),
        (plans(lambda: searching.suggest(text="lant", limit=5)), {"catalog_searchword_word"}),
    ):
        assert {one for one in indexes if one not in plan} == set(), plan
        assert "Seq Scan on catalog_searchentry" not in plan, plan
        assert "Seq Scan on catalog_searchword" not in plan, plan


def test_slips_are_forgiven_without_trigrams_too(real_names):
    with connections["catalog"].cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
    [warning] = searching.check_index(databases=["catalog"])
    assert warning.id == "catalog.W001"
    found = searching.search(text="metal lantren", limit=5)
    assert (found.page[0].name, found.corrected) == ("WHITE METAL LANTERN", "metal lantern")
    assert words.nearest(["lantren"])["lantren"][0].word == "lantern"
