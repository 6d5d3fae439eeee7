"""Sales: each is counted once, whatever is repeated, overtaken or dies in between."""

import random
from datetime import timedelta
from uuid import UUID, uuid4

import orjson
import pytest

from apps.catalog.engagement import counting, jobs, reading
from apps.catalog.engagement.models import SaleNote
from apps.catalog.engagement.names import key
from apps.catalog.engagement.sales import HEARD
from apps.common.databases import fetch_one
from apps.common.redis import durable
from apps.messaging.consuming.delivering import Verdict
from tests.integration.catalog.engagement.orders import NOW, Sale, tell
from tests.integration.catalog.engagement.test_recording import no_redis  # noqa: F401

pytestmark = pytest.mark.django_db(databases=["catalog"])
TEA, CUP, POT = (UUID(int=number) for number in (1, 2, 3))


def sold(period: str = "all") -> dict[UUID, float]:
    """Product → pieces; freshly added up."""
    durable().unlink(*durable().keys(key("sales:*:sum:*")) or ["none"])
    found = reading.best_sellers(period, 99)
    return dict(zip(found.ids, found.counts, strict=True))


def together(product_id: UUID) -> dict[UUID, float]:
    found = reading.bought_together(product_id, 99)
    return dict(zip(found.ids, found.counts, strict=True))


def test_a_confirmed_order_is_counted_by_pieces_and_by_what_it_holds():
    tell(*Sale({TEA: 2, CUP: 1}).sold(), *Sale({TEA: 3, POT: 1}).sold(), Sale({POT: 9}).placed())
    assert sold() == sold("week") == sold("day") == {TEA: 5, CUP: 1, POT: 1}
    assert (together(TEA), together(CUP)) == ({CUP: 1, POT: 1}, {TEA: 1})
    assert reading.best_sellers("all", 1).ids == (TEA,)
    assert SaleNote.objects.count() == 0


def test_an_event_told_twice_is_counted_once():
    placed, confirmed = Sale({TEA: 2}).sold()
    assert tell(placed, confirmed, confirmed)[:2] == [Verdict.APPLIED] * 2
    assert set(tell(placed, confirmed)) == {Verdict.DUPLICATE}
    assert sold() == {TEA: 2}


def test_what_is_heard_under_another_event_id_is_counted_once_too():
    order = Sale({TEA: 2})
    tell(*order.sold())
    tell(*order.sold())  # the same facts, told anew
    assert sold() == {TEA: 2}


def test_a_death_between_counting_and_forgetting_the_note_counts_once(monkeypatch):
    def die(ids):
        raise KeyboardInterrupt

    forget = counting._delete
    monkeypatch.setattr(counting, "_delete", die)
    with pytest.raises(KeyboardInterrupt):
        tell(*Sale({TEA: 2, CUP: 1}).sold())
    assert sold() == {TEA: 2, CUP: 1} and SaleNote.objects.count() == 1
    monkeypatch.setattr(counting, "_delete", forget)
    assert jobs.count_sales.function() == {"counted": 1, "waiting": 0}
    assert (sold(), together(TEA)) == ({TEA: 2, CUP: 1}, {CUP: 1})


def test_without_its_memory_of_keys_the_script_would_count_twice(monkeypatch):
    monkeypatch.setattr(counting, "_delete", lambda ids: durable().unlink(key("sales:0:applied")))
    monkeypatch.setattr(counting, "NOTES", 1)
    with pytest.raises(AssertionError):
        monkeypatch.setattr(counting, "fetch_all", _twice(counting.fetch_all))
        tell(*Sale({TEA: 2}).sold())
        assert sold() == {TEA: 2}


def _twice(fetch_all):
    left = [2]

    def fetch(*args):
        left[0] -= 1
        return fetch_all(*args) if left[0] >= 0 else []

    return fetch


def test_notes_read_long_ago_are_refused():
    [seconds, _] = durable().time()
    note = counting.Note("k:sold", seconds // 86_400, 1, ((TEA.hex, 1),), True)
    with pytest.raises(TimeoutError):
        counting.count([note], read=seconds - counting.REMEMBERED / 2 - 1)
    assert sold() == {}


def test_what_is_cancelled_or_comes_back_is_taken_back():
    one, other = Sale({TEA: 2, CUP: 1}), Sale({TEA: 3, POT: 2})
    tell(*one.sold(), *other.sold())
    tell(one.cancelled(), other.returned({POT: 1, TEA: 3}))
    assert sold() == sold("day") == {POT: 1}
    assert (together(TEA), together(CUP), together(POT)) == ({POT: 1}, {}, {TEA: 1})
    tell(other.returned({POT: 1}))
    assert sold() == sold("week") == {}


def test_an_order_that_was_never_confirmed_takes_nothing_back():
    tell(*Sale({TEA: 2}).sold())
    never = Sale({TEA: 5})
    tell(never.placed(), never.cancelled())
    assert sold() == {TEA: 2}


@pytest.mark.parametrize("seed", range(8))
def test_the_order_of_arrival_makes_no_difference(seed):
    kept, regretted = Sale({TEA: 4, CUP: 2}), Sale({CUP: 7, POT: 1})
    events = [
        *(*kept.sold(), kept.shipped(), kept.returned({TEA: 1}), kept.returned({TEA: 1})),
        *(*regretted.sold(), regretted.cancelled()),
    ]
    events += events[:3]
    random.Random(seed).shuffle(events)
    for event in events:
        tell(event)
    assert sold() == {TEA: 2, CUP: 2}
    assert (together(TEA), together(CUP), together(POT)) == ({CUP: 1}, {TEA: 1}, {})
    assert "lines" not in heard(kept) and "lines" not in heard(regretted)  # no longer of use


def heard(order: Sale) -> dict:
    """What is kept of an order."""
    row = fetch_one(
        "catalog",
        "SELECT outcome::text FROM messaging_inbox WHERE consumer = %s AND message_id = %s",
        [HEARD, str(order.order_id)],
    )
    return orjson.loads(row[0])


def test_a_week_is_today_and_six_days_before():
    for days in (0, 6, 7, 20):
        tell(*Sale({TEA: 1}).sold(NOW - timedelta(days=days)))
    assert (sold("day"), sold("week"), sold("all")) == ({TEA: 1}, {TEA: 2}, {TEA: 4})
    assert len(durable().keys(key("sales:0:day:*"))) == 3


def test_each_ranking_keeps_its_highest(settings):
    settings.ENGAGEMENT_TOGETHER, settings.ENGAGEMENT_PRODUCTS = 2, 3
    others = [uuid4() for _ in range(4)]
    for count, other in enumerate(others, 1):
        tell(*[event for _ in range(count) for event in Sale({TEA: 1, other: 1}).sold()])
    assert list(together(TEA)) == [others[3], others[2]]
    assert list(sold()) == [TEA, others[3], others[2]]


def test_products_not_sold_for_longest_lose_what_was_bought_with_them(settings):
    settings.ENGAGEMENT_TOGETHER_PRODUCTS = 2
    tell(*Sale({TEA: 1, CUP: 1}).sold())
    tell(*Sale({TEA: 1, POT: 1}).sold())
    assert (together(TEA), together(POT), together(CUP)) == ({CUP: 1, POT: 1}, {TEA: 1}, {})


def test_a_large_basket_counts_by_pieces_only(settings):
    settings.ENGAGEMENT_BASKET = 2
    tell(*Sale({TEA: 1, CUP: 1, POT: 1}).sold())
    assert sold() == {TEA: 1, CUP: 1, POT: 1} and together(TEA) == {}


def test_every_key_of_sales_has_an_end():
    tell(*Sale({TEA: 1, CUP: 1}).sold())
    sold("week")
    reading.best_sellers("week", 9)
    names = durable().keys(key("sales*"))
    assert len(names) == 7 and [one for one in names if durable().ttl(one) < 0] == []


def test_redis_away_leaves_notes_that_the_job_counts(no_redis):  # noqa: F811
    assert set(tell(*Sale({TEA: 2}).sold())) == {Verdict.APPLIED}
    assert jobs.count_sales.function() == {"counted": 0, "waiting": 1}
    no_redis()
    assert jobs.count_sales.function() == {"counted": 1, "waiting": 0}
    reading._ask._not_before = 0.0
    assert sold() == {TEA: 2}


def test_a_batch_costs_a_few_statements_and_commands_whatever_its_size(
    django_assert_num_queries, monkeypatch
):
    calls = []
    count = counting._sold
    monkeypatch.setattr(counting, "_sold", lambda *args: calls.append(1) or count(*args))
    events = [event for _ in range(200) for event in Sale({TEA: 1, CUP: 2}).sold()]
    tell(events[0])
    with django_assert_num_queries(14, using="catalog"):
        tell(*events[1:])
    assert (len(calls), sold()) == (1, {TEA: 200, CUP: 400})
    assert fetch_one("catalog", "SELECT count(*) FROM catalog_salenote") == (0,)
