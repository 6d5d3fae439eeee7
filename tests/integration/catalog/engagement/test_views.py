"""Views: what is recorded is counted exactly, bounded, and forgotten in time."""

from uuid import UUID, uuid4

import pytest

from apps.catalog.engagement import reading
from apps.catalog.engagement.names import DAY, key
from apps.catalog.engagement.recording import write
from apps.catalog.engagement.visitors import Visitor
from apps.common.redis import durable

NOON = 20_000 * DAY + DAY / 2
ANN, BEN = Visitor(customer=uuid4()), Visitor(given="ben")
PASSER_BY = Visitor(address="192.0.2.1", agent="Mozilla/5.0")
ROBOT = Visitor(given="r", agent="Mozilla/5.0 (compatible; Googlebot/2.1)")
PREFETCH = Visitor(given="p", purpose="prefetch;prerender")
TEA, CUP, POT = (UUID(int=number) for number in (1, 2, 3))


def views(*seen: tuple[UUID, Visitor], now: float = NOON) -> None:
    with durable().pipeline(transaction=False) as pipe:
        write(pipe, [(str(product), visitor) for product, visitor in seen], now=now)
        pipe.execute()


def members(*products: UUID) -> list[bytes]:
    return [one.bytes for one in products]


def test_a_view_counts_half_after_a_half_life(settings):
    settings.ENGAGEMENT_HALF_LIFE_HOURS = 1
    views((TEA, ANN), (TEA, BEN), (TEA, BEN))
    views((CUP, BEN), (CUP, ANN), now=NOON + 3_600)
    views((POT, ANN), now=NOON + 7_200)
    found = reading.trending(9, now=NOON + 7_200)
    assert found.ids == (POT, CUP, TEA)  # of equals the higher id is first
    assert found.counts == pytest.approx((1.0, 1.0, 0.75), abs=1e-9) and found.complete


def test_the_mark_moves_before_the_weights_overflow_and_the_order_stays(settings):
    settings.ENGAGEMENT_HALF_LIFE_HOURS = 1
    views((TEA, ANN), (TEA, BEN), (CUP, BEN))
    for hours in (1, 256, 257, 258):  # past what the weights may grow to
        views(*[(TEA, ANN)] * 2, (CUP, ANN), now=NOON + hours * 3_600)
    found = reading.trending(9, now=NOON + 258 * 3_600)
    assert found.ids == (TEA, CUP)
    assert found.counts == pytest.approx((2 * 1.75, 1.75), rel=1e-9)
    at = float(durable().hget(key("trending:mark"), "at"))
    assert at == NOON + 257 * 3_600


def test_another_half_life_begins_with_what_the_old_one_left(settings):
    settings.ENGAGEMENT_HALF_LIFE_HOURS = 1
    views((TEA, ANN), (TEA, BEN))
    settings.ENGAGEMENT_HALF_LIFE_HOURS = 10
    views((CUP, ANN), now=NOON + 3_600)
    found = reading.trending(9, now=NOON + 11 * 3_600)
    assert found.ids in ((TEA, CUP), (CUP, TEA))
    assert found.counts == pytest.approx((0.5, 0.5), rel=1e-9)


def test_what_has_decayed_is_forgotten_and_the_least_make_room(settings):
    settings.ENGAGEMENT_HALF_LIFE_HOURS, settings.ENGAGEMENT_PRODUCTS = 1, 2
    views((TEA, ANN), (TEA, BEN), (CUP, ANN), (CUP, BEN), (POT, ANN))
    assert set(durable().zrange(key("trending"), 0, -1)) == set(members(TEA, CUP))
    views((POT, ANN), now=NOON + 12 * 3_600)
    assert durable().zrange(key("trending"), 0, -1) == members(POT)


def test_an_hour_without_views_leaves_every_key_with_an_end():
    views((TEA, ANN), (CUP, BEN), (POT, PASSER_BY))
    with durable().pipeline(transaction=False) as pipe:
        write(pipe, [(None, "Tea Cup")], now=NOON)
        pipe.execute()
    names = durable().keys(key("*"))
    assert len(names) >= 12
    assert [name for name in names if durable().ttl(name) < 0] == []


def test_programs_and_prefetches_do_not_count():
    views((TEA, ROBOT), (TEA, PREFETCH), (CUP, PASSER_BY))
    assert reading.trending(9, now=NOON).ids == (CUP,)
    assert reading.insights(TEA, now=NOON).visitors == ((1, 0), (7, 0), (30, 0))


def test_what_was_seen_stands_once_the_latest_first(settings):
    settings.ENGAGEMENT_RECENT = 2
    views((TEA, ANN), (CUP, ANN), (TEA, ANN), (POT, BEN))
    assert reading.recently_viewed(ANN, 9).ids == (TEA, CUP)
    views((POT, ANN))
    assert reading.recently_viewed(ANN, 9).ids == (POT, TEA)
    assert reading.recently_viewed(ANN, 1).ids == (POT,)
    assert reading.recently_viewed(BEN, 9).ids == (POT,)
    assert reading.recently_viewed(None, 9).ids == (POT, TEA, CUP)


def test_no_list_is_kept_of_an_address(settings):
    views((TEA, PASSER_BY))
    assert reading.recently_viewed(PASSER_BY, 9).ids == ()
    assert durable().keys(key("recent:*")) == [key("recent:all").encode()]
    assert reading.insights(TEA, now=NOON).visitors == ((1, 1), (7, 1), (30, 1))


def test_nothing_in_redis_names_a_visitor():
    views((TEA, ANN), (TEA, BEN), (TEA, PASSER_BY))
    everything = b" ".join(durable().keys(key("*"))) + b"".join(
        durable().dump(name) for name in durable().keys(key("*"))
    )
    for secret in (ANN.customer.hex, str(ANN.customer), "ben", "192.0.2.1", "Mozilla"):
        assert secret.encode() not in everything
    assert ANN.customer.bytes not in everything


def test_made_up_visitors_push_out_each_other_and_no_customer(settings):
    settings.ENGAGEMENT_RECENT_LISTS = 3
    views((TEA, ANN), now=NOON)
    for number in range(10):
        views((CUP, Visitor(given=f"made-up-{number}")), now=NOON + number)
    assert reading.recently_viewed(ANN, 9).ids == (TEA,)
    kept = [
        number
        for number in range(10)
        if reading.recently_viewed(Visitor(given=f"made-up-{number}"), 9).ids
    ]
    assert kept == [7, 8, 9]
    assert len(durable().keys(key("recent:v*"))) == 3


def test_unique_visitors_of_a_day_and_of_several():
    for day in (0, 3, 10, 29, 30):
        now = NOON - day * DAY
        views((TEA, ANN), (TEA, ANN), (TEA, Visitor(given=f"day-{day}")), now=now)
    views((TEA, PASSER_BY), (TEA, PASSER_BY))
    found = reading.insights(TEA, now=NOON)
    assert found.views_today == 5
    # Ann each day; one of each day; the passer-by of today.
    assert found.visitors == ((1, 3), (7, 4), (30, 6))


def test_only_so_many_products_a_day_have_their_visitors_counted(settings):
    settings.ENGAGEMENT_VISITED_PRODUCTS = 2
    views((TEA, ANN), (CUP, ANN), (POT, ANN), (TEA, BEN))
    counted = [reading.insights(one, now=NOON).visitors[0][1] for one in (TEA, CUP, POT)]
    assert counted == [2, 1, 0]


def test_a_term_is_told_once_it_is_popular_by_what_it_begins_with():
    terms = ["Tea  Cup"] * 4 + ["tea pot"] * 5 + ["ｔｅａ cosy"] * 3
    terms += ["teresa smith", "t", "x" * 65]
    with durable().pipeline(transaction=False) as pipe:
        write(pipe, [(None, one) for one in terms], now=NOON)
        pipe.execute()
    assert reading.popular_terms("TE", 9, now=NOON) == ["tea pot", "tea cup", "tea cosy"]
    assert reading.popular_terms("tea c", 1, now=NOON) == ["tea cup"]
    assert reading.popular_terms("", 9, now=NOON) == []
    assert reading.popular_terms("ter", 9, now=NOON) == []


def test_terms_that_fade_leave_both_their_sets(settings):
    settings.ENGAGEMENT_TERMS = 2
    for minute, term in enumerate(["tea cup", "tea pot", "kettle"]):
        with durable().pipeline(transaction=False) as pipe:
            write(pipe, [(None, term)] * 3, now=NOON + minute * 60)
            pipe.execute()
    assert sorted(durable().zrange(key("terms"), 0, -1)) == [b"kettle", b"tea pot"]
    assert sorted(durable().zrange(key("terms:names"), 0, -1)) == [b"kettle", b"tea pot"]
