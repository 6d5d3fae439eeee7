"""What somebody who types may go on to ask: ends of the last word, names, near spellings."""

from dataclasses import dataclass
from uuid import UUID

from apps.catalog.enums import DATABASE
from apps.catalog.searching import words
from apps.catalog.searching.clock import in_time
from apps.catalog.searching.containing import MAX_WORDS
from apps.common.databases import fetch_all

MOST_NAMES = 500
FOLDED = "SELECT string_to_array(catalog_search_fold(%s), ' ')"
FIRST_WORD = """
    SELECT word FROM catalog_searchword
    WHERE word >= %s AND word < %s || chr(1114111) GROUP BY word
    ORDER BY max(documents) DESC, word LIMIT %s
"""
# Among the names that have the words before; the shortest names have the most usual words.
NAMED = """
    WITH named AS MATERIALIZED (
        SELECT p.public_id, p.slug, p.name
        FROM catalog_searchentry e JOIN catalog_product p ON p.id = e.product_id
        WHERE e.vector @@ to_tsquery('catalog_search', %s) AND p.deleted IS NULL AND p.active
        LIMIT %s
    )
"""
NEXT_WORD = (
    NAMED
    + """
    SELECT word FROM named, string_to_table(catalog_search_fold(named.name), ' ') AS word
    WHERE starts_with(word, %s) AND word <> ALL(%s::text[])
    GROUP BY word ORDER BY count(*) DESC, word LIMIT %s
"""
)
NAMES = NAMED + "SELECT public_id, slug, name FROM named ORDER BY length(name), name, public_id"
POPULAR = """
    SELECT word FROM catalog_searchword WHERE char_length(word) > 3
    GROUP BY word ORDER BY max(documents) DESC, word LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Named:
    """A product for sale."""

    public_id: UUID
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Texts to search for, and products whose names have the words already."""

    terms: tuple[str, ...]
    products: tuple[Named, ...] = ()


def suggest(*, text: str, limit: int) -> Suggestions:
    """What may be meant by ``text``, whose last word may be unfinished: at most ``limit`` terms
    and as many products. Where nothing goes on like that: the words nearest to those typed."""
    with in_time():
        [(typed,)] = fetch_all(DATABASE, FOLDED, [text])
        typed = [one for one in dict.fromkeys(typed) if one][:MAX_WORDS]
        if not typed:
            return Suggestions(())
        *before, last = typed
        terms = _going_on(before, last, limit)
        if not terms:
            terms = _near(before, last, limit)
        products = _named(terms[0] if terms else " ".join(typed), limit)
        return Suggestions(tuple(terms), products)


def instead(text: str, limit: int = 5) -> tuple[str, ...]:
    """Texts that find something where ``text`` finds nothing: near words, or popular ones."""
    found = suggest(text=text, limit=limit).terms
    return found or tuple(word for (word,) in fetch_all(DATABASE, POPULAR, [limit]))


def _going_on(before: list[str], last: str, limit: int) -> list[str]:
    if not before:
        return [word for (word,) in fetch_all(DATABASE, FIRST_WORD, [last, last, limit])]
    wanted = " & ".join([*map(words.lexeme, before), words.lexeme(last, begins=True)])
    rows = fetch_all(DATABASE, NEXT_WORD, [wanted, MOST_NAMES, last, before, limit])
    return [" ".join([*before, word]) for (word,) in rows]


def _near(before: list[str], last: str, limit: int) -> list[str]:
    """The words typed with the nearest known spellings in the place of those that nobody knows."""
    asked = words.meanings(" ".join([*before, last]), ())
    if not any(one.corrected for one in asked):
        return []
    texts = [""]
    for one in asked:
        texts = [f"{text} {spelling}".strip() for text in texts for spelling in one.spellings]
    return texts[:limit]


def _named(text: str, limit: int) -> tuple[Named, ...]:
    rows = fetch_all(DATABASE, NAMES, [" & ".join(map(words.lexeme, text.split(" "))), MOST_NAMES])
    return tuple(Named(*row) for row in rows[:limit])
