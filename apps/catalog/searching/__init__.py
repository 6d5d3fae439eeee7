"""Finding products: by words with ranking, facets and corrections, or by parts of words.

What is searched are entries and words that triggers of the product table keep, in the
transaction of every writer (migration ``0006_search_entries``).
"""

from apps.catalog.enums import DATABASE
from apps.catalog.searching.containing import FoundByWords, matching
from apps.catalog.searching.indexing import (
    HINT,
    INDEXES,
    check_index,
    create_index,
    words_count,
)
from apps.catalog.searching.results import Found, Hit, Position, search
from apps.catalog.searching.suggesting import Suggestions, suggest

__all__ = [
    "DATABASE",
    "HINT",
    "INDEXES",
    "Found",
    "FoundByWords",
    "Hit",
    "Position",
    "Suggestions",
    "check_index",
    "create_index",
    "matching",
    "search",
    "suggest",
    "words_count",
]
