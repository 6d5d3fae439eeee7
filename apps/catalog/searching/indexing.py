"""The indexes behind the search, and the count of the words of all names.

Words are found by PostgreSQL's own full text. Parts of words and near spellings are found by
trigrams, which need its extension ``pg_trgm``. Where that cannot be created, the same parts are
found by reading all entries, near spellings by words with a letter left out, and a check says how
to make it fast.
"""

from collections.abc import Sequence

from django.core import checks
from django.db import DatabaseError, connections, transaction

from apps.catalog.enums import DATABASE
from apps.common.databases import execute

INDEXES = {
    "catalog_searchentry_text": "catalog_searchentry USING gin (text gin_trgm_ops)",
    "catalog_searchword_trigrams": (
        "catalog_searchword USING gin (word gin_trgm_ops) WITH (fastupdate = off)"
    ),
}
HINT = (
    "Let a superuser run CREATE EXTENSION pg_trgm in the catalogue's database, then"
    " manage.py index_search."
)
# Under a lock that lets readers and all writers of products pass, except of two counts at once.
COUNT = """
    WITH counted AS (
        SELECT word COLLATE "C" AS word, count(DISTINCT p.id) AS documents
        FROM catalog_product p, string_to_table(catalog_search_fold(p.name), ' ') AS word
        WHERE p.deleted IS NULL AND p.active AND word ~ '^[^0-9]{1,40}$'
        GROUP BY 1
    ), gone AS (
        DELETE FROM catalog_searchword
    )
    INSERT INTO catalog_searchword (word, stem, documents, near)
    SELECT word, coalesce((ts_lexize('catalog_stem', word))[1], word), documents,
           catalog_search_near(word)
    FROM counted
"""


def create_index(alias: str = DATABASE) -> str | None:
    """Makes extension and indexes where they are missing; the reason if that is impossible."""
    try:
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            for name, definition in INDEXES.items():
                cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {definition}")
    except DatabaseError as error:
        return str(error).strip().partition("\n")[0]
    return None


def words_count() -> int:
    """Counts anew in how many names for sale each word is; returns the number of words.

    The counts only order suggestions and corrections. A name that is written meanwhile may be
    missing its new words until the next count.
    """
    with transaction.atomic(using=DATABASE):
        execute(DATABASE, "SELECT pg_advisory_xact_lock(hashtext('catalog_searchword'))")
        return execute(DATABASE, COUNT)


@checks.register(checks.Tags.database)
def check_index(app_configs=None, databases: Sequence[str] | None = None, **kwargs) -> list:
    """``manage.py check --database catalog`` (and ``migrate``) tell where an index is missing."""
    if DATABASE not in (databases or ()):
        return []
    with connections[DATABASE].cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass('catalog_searchentry') IS NULL"
            " OR (SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%s::text[]) name)",
            [list(INDEXES)],
        )
        [there] = cursor.fetchone()
    if there:
        return []
    return [checks.Warning("the search for products has no index", hint=HINT, id="catalog.W001")]
