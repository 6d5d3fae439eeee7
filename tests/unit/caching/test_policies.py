"""What a shop may say in place of what an app declares."""

import pytest

from apps.caching.policies import Eviction, Local, Policy, Serializer, Strategy
from apps.caching.resources import Resource, find_resource, register_resources
from apps.caching.strategies import strategy
from apps.caching.strategies.kinds import CacheAside, WriteThrough

DECLARED = Policy(Strategy.WRITE_THROUGH, local=Local(entries=5))


def test_what_is_said_takes_the_place_of_what_is_declared():
    said = {"ttl": 5, "strategy": "cache-aside", "serializer": "msgpack"}
    policy = DECLARED.overridden(said | {"local": {"eviction": "lfu"}})
    assert (policy.ttl, policy.strategy, policy.serializer) == (
        5,
        Strategy.CACHE_ASIDE,
        Serializer.MSGPACK,
    )
    assert policy.local == Local(entries=5, eviction=Eviction.LFU)
    assert DECLARED.overridden({"local": None}).local is None


@pytest.mark.parametrize(
    "said", [{"tll": 5}, {"strategy": "write-around"}, {"ttl": "5"}, {"ttl": 0}]
)
def test_what_cannot_be_said_stops_the_start(said, settings):
    settings.CACHE_POLICIES = {"test.said": said}
    with pytest.raises(ValueError):
        register_resources([Resource("test.said", dict, DECLARED)])


def test_the_settings_choose_the_strategy(settings):
    if "test.chosen" not in [one.name for one in _all()]:
        register_resources([Resource("test.chosen", dict, DECLARED)])
    assert type(strategy("test.chosen")) is WriteThrough
    assert strategy("test.chosen") is strategy("test.chosen")
    settings.CACHE_POLICIES = {"test.chosen": {"strategy": "cache-aside"}}
    assert type(strategy("test.chosen")) is CacheAside
    assert find_resource("test.chosen").policy.strategy is Strategy.CACHE_ASIDE


def _all():
    from apps.caching.resources import all_resources

    return all_resources()
