"""Lists come in pages by cursor; a parameter that is not understood is refused by name."""

from itertools import chain

import pytest
from django.contrib.auth.models import Permission

pytestmark = pytest.mark.django_db(databases=["default"])
ADDRESS = "/api/permissions"


def walk(api, address, link="next"):
    """All pages from ``address`` on along ``link``."""
    for _ in range(1_000):
        response = api.get(address)
        assert response.status_code == 200, response.content
        page = response.json()
        yield page
        address = page[link]
        if address is None:
            return
    pytest.fail("the pages go round in circles")


def ids(pages):
    return [[row["id"] for row in page["results"]] for page in pages]


def flat(pages):
    return list(chain.from_iterable(ids(pages)))


@pytest.mark.parametrize(
    "ordering, columns",
    [
        ("", ("-content_type_id", "codename", "-pk")),
        ("&ordering=type", ("content_type_id", "pk")),
        ("&ordering=-codename", ("-codename", "-pk")),
    ],
)
@pytest.mark.parametrize("limit", [3, 16, 50])
def test_pages_hold_every_row_once_in_order_both_ways(api, ordering, columns, limit):
    expected = list(Permission.objects.order_by(*columns).values_list("pk", flat=True))
    pages = list(walk(api, f"{ADDRESS}?limit={limit}{ordering}"))
    assert flat(pages) == expected
    assert {len(page) for page in ids(pages)[:-1]} == {limit}

    back = list(walk(api, pages[-2]["next"], "previous"))
    assert ids(back)[::-1] == ids(pages)
    assert back[-1]["previous"] is None


def test_rows_that_come_and_go_between_two_pages_shift_nothing(api):
    first, second, third, *_ = walk(api, f"{ADDRESS}?limit=3&ordering=codename")
    Permission.objects.filter(pk=first["results"][0]["id"]).delete()
    Permission.objects.create(codename="!first", name="!", content_type_id=1)
    assert api.get(first["next"]).json()["results"] == second["results"]
    assert api.get(third["previous"]).json()["results"] == second["results"]


def test_a_page_costs_one_query(api, django_assert_num_queries):
    with django_assert_num_queries(1):
        page = api.get(f"{ADDRESS}?limit=100").json()
    assert page["previous"] is None


def test_twenty_rows_unless_asked(api):
    assert len(api.get(ADDRESS).json()["results"]) == 20


def test_filters_narrow_and_stay_in_the_links(api):
    pages = list(walk(api, f"{ADDRESS}?after=10&limit=50&ordering=codename"))
    assert len(flat(pages)) == Permission.objects.filter(pk__gt=10).count()
    assert api.get(f"{ADDRESS}?codename=nothing").json() == {
        "next": None,
        "previous": None,
        "results": [],
    }


@pytest.mark.parametrize(
    "query, fields",
    [
        ("limit=0", ["limit"]),
        ("limit=101", ["limit"]),
        ("limit=-1", ["limit"]),
        ("limit=", ["limit"]),
        ("limit=ten", ["limit"]),
        ("limit=²", ["limit"]),
        ("limit=1e1", ["limit"]),
        ("limit=" + "9" * 5_000, ["limit"]),
        ("cursor=", ["cursor"]),
        ("cursor=abc", ["cursor"]),
        ("cursor=" + "x" * 5_000, ["cursor"]),
        ("cursor=WyIxIl0:x", ["cursor"]),
        ("ordering=name", ["ordering"]),
        ("ordering=--codename", ["ordering"]),
        ("ordering=", ["ordering"]),
        ("colour=red&size=1", ["colour", "size"]),
        ("Limit=5", ["Limit"]),
        ("after=x", ["after"]),
        ("after=1e400", ["after"]),
    ],
)
def test_a_parameter_that_is_not_understood_is_named(api, query, fields):
    response = api.get(f"{ADDRESS}?{query}")
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == fields


def test_a_cursor_is_good_for_its_own_ordering_only(api):
    cursor = api.get(f"{ADDRESS}?ordering=codename").json()["next"]
    response = api.get(cursor.replace("ordering=codename", "ordering=-codename"))
    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "cursor")


def test_a_cursor_that_was_tampered_with_is_refused(api):
    link = api.get(f"{ADDRESS}?limit=5").json()["next"]
    assert api.get(link[:-1] + ("A" if link[-1] != "A" else "B")).status_code == 400
