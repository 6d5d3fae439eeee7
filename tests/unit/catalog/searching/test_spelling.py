"""Distances between spellings, and which of the known words is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.catalog.searching.spelling import corrections, distance
from bench.search.questions import more_names, questions, recall, slip

WORDS = st.text("abc", max_size=7)


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [
        ("", "", 0),
        ("heart", "heart", 0),
        ("heart", "hart", 1),
        ("heart", "heaart", 1),
        ("heart", "hearb", 1),
        ("heart", "haert", 1),
        ("heart", "ehatr", 2),
        ("abc", "", 3),
        ("ca", "abc", 3),  # no edits inside a swapped pair
    ],
)
def test_edits_are_counted(one, other, steps):
    assert distance(one, other) == distance(other, one) == steps


@given(WORDS, WORDS, st.integers(0, 6))
def test_one_edit_is_one_step_at_most(word, other, place):
    assert distance(word, word[:place] + word[place + 1 :]) <= 1
    assert (distance(word, other) == 0) == (word == other)
    assert abs(len(word) - len(other)) <= distance(word, other) <= max(len(word), len(other))


KNOWN = [("heart", 90), ("hearth", 2), ("beard", 5), ("bread", 9), ("red", 50), ("rod", 1)]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("hert", ("heart",)),
        ("heartt", ("heart", "hearth")),
        ("heatt", ("heart",)),
        ("rad", ("red", "rod")),
        ("heart", ("hearth",)),  # is not meant for itself
        ("re", ()),  # too short for a slip
        ("zzzzz", ()),
    ],
)
def test_the_nearest_words_are_meant(word, meant):
    assert corrections(word, KNOWN) == meant


def test_questions_are_the_same_every_time():
    names = ["RED HEART LANTERN", "BLUE GLASS BOWL", "PAPER BAG"]
    asked = questions(names, 50, misspelt_every=5)
    assert asked == questions(names, 50, misspelt_every=5)
    assert [one.misspelt for one in asked] == [place % 5 == 0 for place in range(50)]
    assert all(len(one.meant.split()) == 2 for one in asked)
    crossed = more_names(names, 20)
    assert (len(crossed), crossed[:3]) == (20, names)
    assert {word for name in crossed for word in name.split()} <= set(" ".join(names).split())
    assert recall("ab", "abcd") == 0.5
    assert recall("", "") == 1.0


def test_a_slip_is_one_edit():
    import random

    chance = random.Random(1)
    slips = [slip("lantern", chance) for _ in range(200)]
    assert {distance("lantern", one) for one in slips} == {1}
