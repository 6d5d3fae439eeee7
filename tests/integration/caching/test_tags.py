"""A value under tags holds until one of them is written to."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import transaction

from apps.caching import connections
from apps.caching.keys import tag
from apps.caching.strategies.base import CacheStrategy
from tests.integration.caching.conftest import ALIAS
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS])


class Page:
    """A page that counts how often it is made."""

    def __init__(self, cached: CacheStrategy, tags: list[str]):
        self._tagged, self.made = cached.tagged(tags), 0

    def get(self) -> int:
        def make() -> int:
            self.made += 1
            return self.made

        return self._tagged.get("page", make)


@pytest.fixture
def page(cached) -> Page:
    return Page(cached, ["names", "prices"])


def test_a_page_is_kept_until_a_write_to_one_of_its_tags(cached, page):
    assert [page.get(), page.get()] == [1, 1]
    with cached.writing(ALIAS, [], ["prices"]), transaction.atomic(using=ALIAS):
        pass
    assert [page.get(), page.get()] == [2, 2]
    with cached.writing(ALIAS, ["a"], ["others"]):
        pass
    assert page.get() == 2


def test_while_a_writer_is_at_work_on_a_tag_nothing_is_kept(cached, page):
    page.get()
    with cached.writing(ALIAS, [], ["names"]):
        assert [page.get(), page.get()] == [2, 3]
    assert [page.get(), page.get()] == [4, 4]


def test_a_tag_that_was_evicted_is_a_miss(page):
    page.get()
    connections.client().delete(tag("names").value)
    assert [page.get(), page.get()] == [2, 2]


def test_a_page_that_was_read_before_a_write_is_not_kept(cached):
    made = []

    def slow() -> int:
        made.append(1)
        if len(made) == 1:  # somebody writes while this is being read
            with cached.writing(ALIAS, [], ["names"]):
                pass
        return len(made)

    page = cached.tagged(["names"])
    assert [page.get("page", slow), page.get("page", slow), page.get("page", slow)] == [1, 2, 2]


def test_dropping_a_tag_by_hand_ends_its_pages(cached, page):
    page.get()
    cached.drop([], ["names"])
    assert page.get() == 2


def test_a_page_and_its_tags_are_asked_for_by_one_command(page, counted):
    page.get()
    with counted() as commands:
        page.get()
    assert commands() == 1


def test_who_comes_after_a_write_does_not_join_a_load_from_before_it(cached):
    """The page's lease still stands: only its tag was written to."""
    page, begun, go_on = cached.tagged(["names"]), threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(10)
        return "before"

    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(page.get, "page", slow)
        assert begun.wait(10)
        with cached.writing(ALIAS, [], ["names"]):
            pass
        late = pool.submit(page.get, "page", lambda: "after")
        eventually(lambda: cached.statistics.waits, every=0.005)
        go_on.set()
        assert (early.result(10), late.result(10)) == ("before", "after")
    assert page.get("page", lambda: "never") == "after"


def test_who_comes_during_a_load_gets_it_without_loading(cached):
    page, begun, go_on = cached.tagged(["names"]), threading.Event(), threading.Event()

    def slow() -> str:
        begun.set()
        assert go_on.wait(10)
        return "once"

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(page.get, "page", slow)
        assert begun.wait(10)
        second = pool.submit(page.get, "page", lambda: "twice")
        eventually(lambda: cached.statistics.waits, every=0.005)
        go_on.set()
        assert (first.result(10), second.result(10)) == ("once", "once")
    assert cached.statistics.shared == 1
