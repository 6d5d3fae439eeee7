"""Redis away, flushed, or the process dead between two phases: slower, never wrong, never lost."""

from collections.abc import Callable, Iterator
from threading import Thread
from uuid import UUID

import pytest
from django.db import connections, transaction
from moneyed import Money

from apps.caching import connections as caches
from apps.caching import invalidations, retrying
from apps.caching.models import Invalidation
from apps.caching.strategies import strategy
from apps.catalog import facade, jobs, services
from apps.catalog.caching import learning
from apps.catalog.caching.consuming import note_changed, perform_noted
from apps.catalog.caching.names import PRODUCT
from apps.catalog.caching.writing import writing
from apps.catalog.models import Product
from apps.common.databases import execute
from tests.integration.caching.redis_server import RedisServer
from tests.integration.catalog import shop
from tests.integration.catalog.caching.conftest import LIST, at_rest, is_kept
from tests.told import listening

DATABASES = ["default", "catalog", "orders"]
pytestmark = pytest.mark.django_db(transaction=True, databases=DATABASES)


@pytest.fixture
def server(tmp_path, settings, transactional_db) -> Iterator[RedisServer]:
    """The cache's Redis, to be killed and started again (then it is empty) or to be paused."""
    one = RedisServer(tmp_path / "redis")
    settings.CACHE_URL = one.url
    yield one
    one.go_on()
    if not one.answers():
        one.start()
    assert retrying.wait(10)
    one.kill()


@pytest.fixture
def back(server, settings) -> Callable[[], None]:
    """Redis goes on, and is asked at once: by connections whose breaker has not seen it away."""

    def back() -> None:
        server.go_on()
        assert retrying.wait(5)
        settings.CACHE_TIMEOUT_SECONDS += 0.01

    return back


def rename(product_id: UUID, name: str) -> None:
    product = Product.objects.get(public_id=product_id)
    changes = {"name": name}
    services.product_change(product_pk=product.pk, version=product.version, changes=changes)


def shown(get, product_id: UUID) -> str:
    return get(f"{LIST}/{product_id}").json()["name"]


def pending() -> int:
    return Invalidation.objects.count()


def test_redis_away_in_phase_one(server, back, get):
    """The change is noted in its own transaction, and performed by the job when Redis is back."""
    cup = shop.product(3, name="Old")
    assert (shown(get, cup), is_kept(cup)) == ("Old", True)
    server.pause()
    rename(cup, "New")
    assert pending() == 1
    assert shown(get, cup) == "New"  # from the database
    back()
    jobs.invalidate_pending.function()
    assert pending() == 0
    assert shown(get, cup) == "New"
    assert at_rest(cup)


def test_redis_away_in_phase_two(server, back, get):
    """Phase one took the value away, and nobody fills while its writer is registered."""
    cup = shop.product(3, name="Old")
    shown(get, cup)
    with transaction.atomic(using="catalog"):
        rename(cup, "New")
        server.pause()
    assert pending() == 0
    assert shown(get, cup) == "New"
    back()
    assert shown(get, cup) == "New"
    assert at_rest(cup)


def test_redis_flushed_between_the_phases(server, back, get):
    """A reader may fill what is about to be old; phase two takes it away."""
    cup = shop.product(3, name="Old")
    with transaction.atomic(using="catalog"):
        rename(cup, "New")
        caches.client().flushdb()
        in_a_thread(lambda: strategy(PRODUCT).get(str(cup)))
        assert is_kept(cup)
    assert shown(get, cup) == "New"
    assert at_rest(cup)


def in_a_thread(work: Callable[[], object]) -> None:
    """Outside this thread's transaction."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = Thread(target=run)
    thread.start()
    thread.join()


DYING = """
import os, django
django.setup()
from django.db import connections, transaction
from apps.catalog import services
from apps.catalog.models import Product
with transaction.atomic(using="catalog"):
    # Called first, just after the COMMIT: what phase two waits for never comes.
    transaction.on_commit(lambda: os.kill(os.getpid(), 9), using="catalog")
    product = Product.objects.get()
    services.product_change(product_pk=product.pk, version=1, changes={"name": "New"})
"""


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_the_process_dies_between_commit_and_phase_two(cache, get, shop_of_processes, settings):
    cup = shop.product(3, name="Old")
    shown(get, cup)
    dying = shop_of_processes.start("dying", "-c", DYING, CACHE_PREFIX=settings.CACHE_PREFIX)
    assert dying.wait() == -9
    assert shown(get, cup) == "New"
    assert not is_kept(cup)  # until the dead writer's entry ends
    assert at_rest(cup)


@pytest.fixture
def shop_of_processes(request):
    """``tests.processes.shop``; here ``shop`` is the catalogue's."""
    return request.getfixturevalue("shop")


def handle(events) -> None:
    with transaction.atomic(using="catalog"):
        note_changed(events)
    perform_noted(events)


def test_events_take_away_what_was_written_past_everything(cache, get):
    """Raw SQL by somebody who told of it: the consumer group is the third line of defence."""
    with listening("catalog") as told:
        cup = shop.product(3, name="Old", category="Tea")
        facade.reserve_stock([shop.reserve((cup, 2))])
    for statement, topic in (
        ("UPDATE catalog_product SET name = 'New'", "product.created"),
        ("UPDATE catalog_category SET name = 'Teas'", "category.created"),
        ("UPDATE catalog_stockitem SET on_hand = 50", "stock.reserved"),
    ):
        before = get(f"{LIST}/{cup}").json()
        execute("catalog", statement)
        assert get(f"{LIST}/{cup}").json() == before
        handle([one for one in told if one.topic == topic])
        assert get(f"{LIST}/{cup}").json() != before
        assert at_rest(cup)
    assert pending() == 0


def test_a_product_made_while_redis_is_away_is_no_lasting_404(server, back, get):
    shop.product(1)
    assert learning.rebuild() == 1
    server.pause()
    made = services.product_create(sku="A", name="A", price=Money(1, "GBP"))
    back()
    jobs.invalidate_pending.function()
    assert get(f"{LIST}/{made.public_id}").json()["sku"] == "A"
    assert pending() == 0


def test_a_write_costs_a_time_out_once_and_never_fails(server, back):
    cup = shop.product(3)
    server.pause()
    with writing() as cached, transaction.atomic(using="catalog"):
        cached.products([cup])
    facade.reserve_stock([shop.reserve((cup, 1))])
    assert shop.levels(cup) == (3, 1)
    assert pending() == 2
    back()
    invalidations.perform("catalog")
    assert at_rest(cup)
