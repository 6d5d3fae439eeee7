"""How far apart two spellings are. Pure."""

from collections.abc import Iterable

MOST_CHOICES = 3


def distance(one: str, other: str) -> int:
    """Letters left out, put in, exchanged or swapped with their neighbour: the optimal string
    alignment distance (Damerau–Levenshtein without edits inside a swapped pair)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, 1):
            best = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                best = min(best, last[j - 2] + 1)
            row.append(best)
    return row[-1]


def tolerated(word: str) -> int:
    """How many edits may lie between ``word`` and what it was meant to be."""
    return 0 if len(word) < 3 else 1 if len(word) < 5 else 2


def corrections(word: str, known: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """The nearest of the ``known`` words (with how many names have each), if near enough.

    Several where they are equally near: those that begin alike first, then the more frequent.
    """
    most = tolerated(word)
    near = []
    for other, documents in set(known):
        if other != word and abs(len(other) - len(word)) <= most:
            steps = distance(word, other)
            if steps <= most:
                near.append((steps, other[0] != word[0], -documents, other))
    near.sort()
    return tuple(one[3] for one in near if one[0] == near[0][0])[:MOST_CHOICES]
