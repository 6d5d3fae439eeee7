"""A hold ends by the clock; Redis only says so sooner."""

from uuid import uuid4

import pytest
import redis

from apps.catalog import facade as catalog
from apps.catalog import jobs
from apps.catalog.contracts import HoldStock, StockLine
from apps.common.redis import durable
from apps.orders.cart import listener, store
from apps.orders.cart.listener import HoldListener
from project import celery
from project.local import redis_server
from tests.integration.catalog import shop
from tests.processes import eventually

pytestmark = pytest.mark.django_db(transaction=True, databases=["catalog"])
SECONDS = 0.2


def held(product_id, seconds: float = SECONDS):
    cart = uuid4()
    catalog.hold_stock(HoldStock(cart, (StockLine(product_id, 2),), seconds))
    store.mark_hold(cart, seconds)
    return cart


def looked_at(cart) -> bool:
    """Whether the key of the hold is gone. Redis tells of it when it meets the key: by itself
    within seconds as a rule, at once where somebody asks for it."""
    return not durable().exists(f"{store.HOLD_PREFIX}{cart}")


@pytest.fixture
def listening():
    one = HoldListener()
    one.start()
    assert one.listening.wait(5)
    yield one
    one.stop()


def test_a_hold_ends_as_soon_as_its_time_is_over(listening):
    cup = shop.product(3)
    cart, kept = held(cup), held(cup, seconds=60)
    assert shop.levels(cup) == (3, 3)
    eventually(lambda: looked_at(cart) and shop.levels(cup) == (3, 1), seconds=5)
    assert [line.quantity for line in catalog.held_stock(kept).lines] == [1]
    assert catalog.audit_stock() == []


def test_an_early_word_ends_nothing(listening):
    """Redis forgot the key sooner than the database's clock says, and heard of others."""
    cup = shop.product(3)
    cart = held(cup, seconds=60)
    for key in (f"{store.HOLD_PREFIX}{cart}", f"{store.HOLD_PREFIX}x", "holdfast:other"):
        durable().set(key, 1, px=1)
    other = held(shop.product(3))
    eventually(lambda: looked_at(other) and not catalog.held_stock(other).lines, seconds=5)
    assert shop.levels(cup) == (3, 2)


def test_without_a_listener_the_job_ends_them():
    cup = shop.product(3)
    cart = held(cup)
    eventually(lambda: looked_at(cart), seconds=5)
    assert shop.levels(cup) == (3, 2)
    assert jobs.expire_holds.function() == {"holds": 1, "pieces": 2}
    assert shop.levels(cup) == (3, 0)


def test_a_listener_outlives_its_connection(listening, monkeypatch):
    monkeypatch.setattr(listener, "AGAIN_SECONDS", 0.05)
    client = durable()
    for one in client.client_list(_type="pubsub"):
        if "hold-listener" in one["name"]:
            client.client_kill_filter(_id=one["id"])
    cup = shop.product(3)
    eventually(lambda: listening.listening.is_set(), seconds=5)
    cart = held(cup)
    eventually(lambda: looked_at(cart) and shop.levels(cup) == (3, 0), seconds=5)


class Forbidden:
    """A Redis that lets nobody change how it is set up."""

    def config_get(self, name):
        return {name: ""}

    def config_set(self, name, value):
        raise redis.exceptions.NoPermissionError("no")


def test_where_redis_may_not_be_asked_to_tell_nothing_breaks():
    listener.ask_for_events(Forbidden())


@pytest.mark.parametrize(
    ("known", "wanted"), [("", "Ex"), ("Kg", "EKgx"), ("Ex", None), ("AKE", None)]
)
def test_what_others_asked_redis_for_stays(known, wanted):
    class Server:
        said = None

        def config_get(self, name):
            return {name: known}

        def config_set(self, name, value):
            self.said = value

    server = Server()
    listener.ask_for_events(server)
    assert server.said == wanted


def test_each_worker_listens_and_the_redis_of_the_house_tells():
    assert "project.polling:HoldListening" in celery.app.steps["worker"]
    assert "notify-keyspace-events Ex" in redis_server.DURABLE
