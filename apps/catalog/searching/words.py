"""What is asked: its words, what each may mean, and what was probably meant."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from apps.catalog.enums import DATABASE
from apps.catalog.searching.containing import MAX_WORDS
from apps.catalog.searching.spelling import corrections
from apps.common.databases import fetch_all

# Asked for only where nothing else is.
FILLERS = frozenset(["a", "an", "and", "for", "in", "of", "on", "the", "to", "with"])
SHORTEST_BEGINNING = 3
MOST_SHELVES = 500

WORDS = """
    SELECT word, stem, EXISTS (SELECT FROM catalog_searchword k WHERE k.stem = asked.stem),
           EXISTS (SELECT FROM catalog_searchword k
                   WHERE k.word > asked.word AND k.word < asked.word || chr(1114111))
    FROM (
        SELECT word COLLATE "C" AS word, min(place) AS place,
               coalesce((ts_lexize('catalog_stem', word))[1], word) COLLATE "C" AS stem
        FROM string_to_table(catalog_search_fold(%s), ' ') WITH ORDINALITY AS t (word, place)
        WHERE word <> '' GROUP BY word ORDER BY min(place) LIMIT %s
    ) AS asked ORDER BY place
"""
DESCRIBED = """
    SELECT asked FROM unnest(%s::text[]) AS asked
    WHERE EXISTS (SELECT FROM catalog_searchentry
                  WHERE vector @@ plainto_tsquery('catalog_search', asked))
"""
# Words that share a spelling with one letter left out, or enough trigrams.
NEAR = """
    WITH slips AS MATERIALIZED (
        SELECT asked, catalog_search_near(asked) AS like_it FROM unnest(%s::text[]) AS asked
    )
    SELECT asked, k.word, k.stem, k.documents FROM slips, LATERAL (
        SELECT word, stem, documents FROM catalog_searchword
        WHERE near && like_it {trigrams}
        ORDER BY {order} documents DESC LIMIT 60
    ) AS k
"""
NEAR_BY_LETTERS = NEAR.format(trigrams="", order="")
NEAR_BY_TRIGRAMS = NEAR.format(
    trigrams="OR word % asked".replace("%", "%%"), order="similarity(word, asked) DESC,"
)


class Spelling(NamedTuple):
    """A word of a name."""

    word: str
    stem: str


@dataclass(frozen=True, slots=True)
class Meaning:
    """A word that was asked for (folded), and what stands for it: any of ``spellings`` or, with
    ``begins``, a word that begins so; or that the product is on one of the ``shelves``."""

    word: str
    spellings: tuple[str, ...]
    begins: bool = False
    shelves: tuple[int, ...] = ()

    @property
    def corrected(self) -> bool:
        return self.word not in self.spellings

    @property
    def query(self) -> str:
        """For ``to_tsquery``."""
        return "(" + " | ".join(lexeme(one, begins=self.begins) for one in self.spellings) + ")"


def lexeme(word: str, *, begins: bool = False) -> str:
    """A folded word, or the beginning of one, as ``to_tsquery`` wants it. Folding has left no
    quotes; they keep together what a locale may take for a space."""
    return f"'{word}'{':*' if begins else ''}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A living category; ``stems`` are those of the words of its name."""

    pk: int
    parent: int | None
    slug: str
    name: str
    stems: frozenset[str]


def shelves_read() -> list[Shelf]:
    """All living categories by name, with the stems of their words."""
    rows = fetch_all(
        DATABASE,
        "SELECT id, parent_id, slug, name,"
        " tsvector_to_array(to_tsvector('catalog_search', catalog_search_fold(name)))"
        " FROM catalog_category WHERE deleted IS NULL ORDER BY name, id",
    )
    return [Shelf(*row[:4], frozenset(row[4])) for row in rows]


def meanings(text: str, shelves: Sequence[Shelf]) -> list[Meaning]:
    """The first ``MAX_WORDS`` words of ``text`` with what they mean; words that nobody knows are
    taken for the nearest words of names."""
    found, unknown = [], []
    for word, stem, is_known, has_longer in fetch_all(DATABASE, WORDS, [text, MAX_WORDS]):
        digits = any(letter.isdigit() for letter in word)
        begins = len(word) >= SHORTEST_BEGINNING and (digits or (has_longer and not is_known))
        one = Meaning(word, (word,), begins, _named(stem, begins, shelves))
        found.append(one)
        if not (is_known or begins or digits or one.shelves):
            unknown.append(word)
    if wanted := [one for one in found if one.word not in FILLERS]:
        found = wanted
    if unknown := [one.word for one in found if one.word in unknown]:
        described = {word for (word,) in fetch_all(DATABASE, DESCRIBED, [unknown])}
        near = nearest([one for one in unknown if one not in described])
        found = [_respelt(one, near.get(one.word), shelves) for one in found]
    return found


def _respelt(asked: Meaning, near: Sequence[Spelling] | None, shelves: Sequence[Shelf]) -> Meaning:
    if not near:
        return asked
    named = {pk for one in near for pk in _named(one.stem, False, shelves)}
    spellings = tuple(one.word for one in near)
    return replace(asked, spellings=spellings, shelves=tuple(sorted(named)))


def widened(asked: Iterable[Meaning]) -> list[Meaning]:
    """The same words, each also taken for those that are spelt alike: a slip may make a word."""
    asked = list(asked)
    near = nearest([one.word for one in asked if not one.corrected and one.word.isalpha()])
    return [
        replace(one, spellings=(*one.spellings, *(like.word for like in near.get(one.word, ()))))
        for one in asked
    ]


def nearest(words: Sequence[str]) -> dict[str, tuple[Spelling, ...]]:
    """The words of names nearest to each of these; a word without any is left out."""
    if not words:
        return {}
    [(trigrams,)] = fetch_all(
        DATABASE, "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')"
    )
    rows = fetch_all(DATABASE, NEAR_BY_TRIGRAMS if trigrams else NEAR_BY_LETTERS, [list(words)])
    candidates: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    stems: dict[str, str] = {}
    for asked, word, stem, documents in rows:
        candidates[asked].append((word, documents))
        stems[word] = stem
    near = {asked: corrections(asked, known) for asked, known in candidates.items()}
    return {
        asked: tuple(Spelling(one, stems[one]) for one in spellings)
        for asked, spellings in near.items()
        if spellings
    }


def _named(stem: str, begins: bool, shelves: Sequence[Shelf]) -> tuple[int, ...]:
    """The shelves with this word in their names, and all that stand on them."""
    named = {
        one.pk
        for one in shelves
        if (any(name.startswith(stem) for name in one.stems) if begins else stem in one.stems)
    }
    return tuple(sorted(below(named, shelves)))[:MOST_SHELVES] if named else ()


def below(pks: Collection[int], shelves: Sequence[Shelf]) -> set[int]:
    """These shelves and all below them."""
    found = set(pks)
    while more := {one.pk for one in shelves if one.parent in found} - found:
        found |= more
    return found
