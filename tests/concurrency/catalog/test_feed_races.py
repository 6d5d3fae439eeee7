# ruff: noqa: F401 - fixtures are imported by name
"""A feed, direct changes and the flush at the same time: nothing accepted is lost or overtaken."""

import threading

import pytest
from moneyed import Money

from apps.caching import write_behind
from apps.caching.strategies import strategy
from apps.catalog import facade, services
from apps.catalog.caching.names import PRODUCT
from apps.catalog.contracts import EditProduct, FeedForm, SendFeed
from apps.catalog.feed.buffer import PRODUCTS
from apps.catalog.models import PriceChange
from apps.common.errors import VersionConflict
from apps.messaging.idempotency import StillRunning
from tests.concurrency.catalog.threads import failures, together
from tests.integration.catalog import shop
from tests.integration.catalog.feed.conftest import own_buffer
from tests.integration.catalog.feed.sent import price, row

pytestmark = pytest.mark.django_db(databases=["default", "catalog"], transaction=True)
ROUNDS = 12


def test_direct_changes_and_a_feed_meet():
    cup = shop.product(sku="CUP")
    pk, ended = row(cup).pk, threading.Event()

    def change_directly() -> None:
        for number in range(ROUNDS):
            while True:
                try:
                    services.product_change(
                        product_pk=pk,
                        version=row(cup).version,
                        changes={"price": Money(f"{number + 1}.11", "GBP")},
                    )
                except VersionConflict:
                    continue
                break

    def feed() -> None:
        for number in range(ROUNDS):
            amount = Money(f"{number + 1}.22", "GBP")
            facade.edit_product(EditProduct("staff:1", cup, amount))
            # Whoever sells it now sells it for that, or for what somebody made of it since.
            [offer] = facade.get_offers([cup])
            assert str(offer.unit_price.amount).endswith((".22", ".11"))
            assert offer.unit_price.amount >= 1

    def flush() -> None:
        while not ended.is_set():
            write_behind.flush_now(PRODUCTS)

    def until_the_end(work) -> None:
        try:
            work()
        finally:
            ended.set()

    answers = together(lambda: until_the_end(change_directly), feed, flush)
    assert failures(answers) == []
    write_behind.flush_now(PRODUCTS)
    assert price(cup) in (f"{ROUNDS}.11", f"{ROUNDS}.22")
    history = list(PriceChange.objects.filter(product_id=pk).order_by("version"))
    assert [one.version for one in history] == list(range(1, row(cup).version + 1))
    assert [one.before for one in history[1:]] == [one.after for one in history[:-1]]
    assert str(history[-1].after.amount) == price(cup)
    cached = strategy(PRODUCT).get(str(cup)).data
    assert (cached["price"]["amount"], cached["version"]) == (price(cup), row(cup).version)


def test_two_flushes_of_one_edit_write_it_once():
    cups = [shop.product() for _ in range(20)]
    for number, one in enumerate(cups, 1):
        facade.edit_product(EditProduct("staff:1", one, Money(f"{number}.33", "GBP")))
    pending = list(write_behind.pending(PRODUCTS, [str(one) for one in cups]).values())
    assert together(*[lambda: PRODUCTS.apply(pending)] * 3) == [[]] * 3
    assert {row(one).version for one in cups} == {2}
    assert PriceChange.objects.count() == 2 * len(cups)


def test_one_key_at_the_same_time_counts_once():
    cup = shop.product(5, sku="CUP")
    body = b'{"sku":"CUP","stock":{"delta":2}}'

    def send():
        return facade.send_feed(SendFeed("k", "staff:1", FeedForm.NDJSON, body, counts=True))

    answers = together(send, send, send)
    assert {type(one) for one in failures(answers)} <= {StillRunning}
    send()
    assert shop.levels(cup) == (7, 0)
