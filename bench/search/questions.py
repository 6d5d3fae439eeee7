"""Names and what is asked for: real names, two words of them, one slip in some. Pure, seeded."""

import random
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SEED = 20_101_201
WORDS = 2
SHORTEST_SLIP = 4  # letters of a word that is misspelt


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and how it would be spelt rightly (the same, where nothing slipped)."""

    asked: str
    meant: str

    @property
    def misspelt(self) -> bool:
        return self.asked != self.meant


def more_names(names: Sequence[str], count: int, seed: int = SEED) -> list[str]:
    """The ``names`` and, to make ``count``, crossings: the front of one and the end of another."""
    chance = random.Random(seed)
    made = list(names[:count])
    while len(made) < count:
        front, end = chance.choice(names).split(), chance.choice(names).split()
        made.append(" ".join(front[: len(front) // 2 + 1] + end[len(end) // 2 :])[:200])
    return made


def questions(
    names: Sequence[str], count: int, *, misspelt_every: int, seed: int = SEED
) -> list[Question]:
    """``count`` pairs of words that stand in one name; one in ``misspelt_every`` has a slip."""
    chance = random.Random(seed + 1)
    asked: list[Question] = []
    while len(asked) < count:
        words = [one.lower() for one in chance.choice(names).split() if one.isalpha()]
        words = [one for one in dict.fromkeys(words) if len(one) > 1]
        if len(words) < WORDS:
            continue
        pair = chance.sample(words, WORDS)
        meant = " ".join(pair)
        if len(asked) % misspelt_every == 0:
            longest = max(range(WORDS), key=lambda place: len(pair[place]))
            if len(pair[longest]) < SHORTEST_SLIP:
                continue
            pair[longest] = slip(pair[longest], chance)
        asked.append(Question(" ".join(pair), meant))
    return asked


def slip(word: str, chance: random.Random) -> str:
    """One letter left out, doubled, exchanged, put in, or swapped with its neighbour."""
    while True:
        place, letter = chance.randrange(len(word)), chance.choice(string.ascii_lowercase)
        kind = chance.randrange(5)
        if kind == 0:
            slipped = word[:place] + word[place + 1 :]
        elif kind == 1:
            slipped = word[:place] + word[place] + word[place:]
        elif kind == 2:
            slipped = word[:place] + letter + word[place + 1 :]
        elif kind == 3:
            slipped = word[:place] + letter + word[place:]
        else:
            slipped = word[:place] + word[place + 1 : place + 2] + word[place] + word[place + 2 :]
        if slipped != word:
            return slipped


def recall(found: Iterable[str], wanted: Iterable[str]) -> float:
    """The share of ``wanted`` that is among ``found``; 1 where nothing is wanted."""
    wanted = set(wanted)
    return len(wanted & set(found)) / len(wanted) if wanted else 1.0
