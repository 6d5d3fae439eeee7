"""Several Redis for one cache: each keeps its part, and one that is away takes only that along."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from apps.caching import retrying
from apps.caching.keys import Key, tag
from apps.caching.models import Invalidation
from apps.caching.shards import shards
from tests.integration.caching.conftest import ALIAS
from tests.integration.caching.redis_server import RedisServer

pytestmark = pytest.mark.django_db(transaction=True, databases=[ALIAS])
IDS = [f"n{n}" for n in range(40)]


@pytest.fixture
def servers(tmp_path, settings, table) -> Iterator[list[RedisServer]]:
    both, shared = [RedisServer(tmp_path / name) for name in "12"], settings.CACHE_URL
    settings.CACHE_URL = ",".join(one.url for one in both)
    yield both
    for one in both:
        if not one.answers():
            one.start()
    assert retrying.wait(10)
    settings.CACHE_URL = shared
    for one in both:
        one.kill()


def test_values_are_spread_and_found_again(servers, cached, table):
    assert cached.get_many([*IDS, "a"]) == dict.fromkeys(IDS) | {"a": "old"}
    assert cached.get_many([*IDS, "a"])["a"] == "old"
    assert len(table.loads) == 1
    kept = [len(one.client().keys("*:v")) for one in servers]
    assert sum(kept) == 41
    assert min(kept) > 5


def test_a_write_and_a_tag_reach_the_shards_that_keep_them(servers, cached, table):
    page = cached.tagged([f"tag{n}" for n in range(6)])
    made = []
    for _ in range(2):
        page.get("page", lambda: made.append(1) or len(made))
    assert len(made) == 1
    with transaction.atomic(using=ALIAS), cached.writing(ALIAS, IDS, ["tag3"]):
        entries = [len(one.client().keys("*:w")) for one in servers]
        assert sum(entries) == len(IDS) + 1
        assert min(entries) > 5
    assert [one.client().keys("*:w") for one in servers] == [[], []]
    page.get("page", lambda: made.append(1))
    assert len(made) == 2


def test_one_shard_away_takes_only_its_own_keys_along(servers, cached, table):
    cached.get_many(IDS)
    servers[1].kill()
    away = shards().all[1]
    theirs = [one for one in IDS if shards().of(Key(cached.resource.name, one)) is away]
    table.loads.clear()
    assert cached.get_many(IDS) == dict.fromkeys(IDS)
    assert table.loads == [sorted(theirs)]

    with transaction.atomic(using=ALIAS), cached.writing(ALIAS, IDS):
        pass
    [note] = Invalidation.objects.using(ALIAS).all()
    assert sorted(note.names) == sorted(f"{cached.resource.name}:{one}" for one in theirs)
    assert servers[0].client().keys("*") == []


def test_a_page_whose_tag_is_away_is_made_anew_each_time(servers, cached):
    names = [f"tag{n}" for n in range(40)]
    assert {shards().of(tag(name)) for name in names} == set(shards().all)
    page = cached.tagged(names)
    made = []
    page.get("page", lambda: made.append(1))
    servers[1].kill()
    for _ in range(2):
        page.get("page", lambda: made.append(1))
    assert len(made) == 3
