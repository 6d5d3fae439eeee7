"""Recording costs the caller an append, loses at most the buffer, and never raises."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from uuid import UUID

import pytest
import redis
from django.conf import settings as django_settings

from apps.catalog.engagement import figures, names, reading, recording
from apps.catalog.engagement.buffer import Buffer
from apps.catalog.engagement.visitors import Visitor, visitor_of
from apps.common import redis as connections
from apps.common.redis import durable

TEA, CUP = (str(UUID(int=number)) for number in (1, 2))
ANN = Visitor(given="ann")


def counted(product_id: str) -> int:
    today = reading.insights(UUID(product_id))
    assert today.complete
    return today.views_today


@pytest.fixture
def commands(monkeypatch) -> Counter[int]:
    """How many times each thread has sent something to a Redis."""
    sent, send = Counter(), redis.connection.AbstractConnection.send_packed_command

    def counting(self, *args, **kwargs):
        sent[threading.get_ident()] += 1
        return send(self, *args, **kwargs)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", counting)
    return sent


@pytest.fixture
def making():
    """Makes buffers whose threads end with the test."""
    made = []

    def make(*args, **words) -> Buffer:
        made.append(Buffer(*args, **words))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_the_thread_that_records_sends_nothing(commands, monkeypatch, making):
    delivered = threading.Event()

    def deliver(batch):
        recording.deliver(batch)
        delivered.set()

    buffer = making(deliver, figures.full, most=1_000, every=0.2)
    monkeypatch.setattr(recording, "buffer", buffer)
    for _ in range(900):
        recording.record_view(TEA, ANN)
    recording.record_search("tea cup")
    assert delivered.wait(5)
    buffer.flush()
    del commands[threading.get_ident()]  # of flush(), should it have found something
    assert len(commands) == 1 and counted(TEA) == 900


def test_recording_waits_for_no_delivery(making):
    stuck, refused = threading.Event(), []
    buffer = making(lambda batch: stuck.wait(5), refused.append, most=10, every=0.01)
    for _ in range(100):
        buffer.add("one")
    assert not stuck.is_set()
    stuck.set()


def test_what_comes_when_the_buffer_is_full_is_dropped_and_counted(making):
    kept, refused = [], []
    buffer = making(kept.extend, refused.append, most=3, every=60)
    for number in range(5):
        buffer.add(number)
    assert len(buffer) == 3
    buffer.flush()
    assert (kept, refused, len(buffer)) == ([0, 1, 2], [2], 0)


@pytest.fixture
def no_redis(settings):
    """The durable Redis is away until the function given is called."""

    def forget():
        for one in (connections.durable, names.client, names.script):
            one.cache_clear()

    there = settings.QUEUE_REDIS_URL
    settings.QUEUE_REDIS_URL = "unix:///nowhere/redis.sock"
    forget()

    def back():
        settings.QUEUE_REDIS_URL = there
        forget()

    yield back
    back()


def outcomes() -> dict[str, float]:
    found = dict.fromkeys(("written", "full", "away"), 0.0)
    for family in figures.RECORDED.collect():
        for sample in family.samples:
            if sample.name.endswith("_total"):
                found[sample.labels["outcome"]] = sample.value
    return found


def test_redis_away_loses_and_counts_and_is_not_asked_again_at_once(no_redis):
    before = outcomes()
    recording.deliver([(TEA, ANN)] * 3)
    no_redis()
    recording.deliver([(TEA, ANN)] * 2)  # within the second: not tried
    assert outcomes() == before | {"away": before["away"] + 5}
    recording.deliver._not_before = 0.0
    recording.deliver([(TEA, ANN)] * 4)
    assert outcomes()["written"] == before["written"] + 4 and counted(TEA) == 4


def test_redis_away_answers_nothing_and_says_so(no_redis):
    away = reading.Window(complete=False)
    assert reading.trending(9) == reading.best_sellers("week", 9) == away
    assert reading.bought_together(UUID(TEA), 9) == reading.recently_viewed(ANN, 9) == away
    assert reading.popular_terms("t", 9) == []
    assert not reading.insights(UUID(TEA)).complete


DJANGO = """
import django, multiprocessing, os, signal, sys
from uuid import UUID
django.setup()
from apps.catalog.engagement import recording
from apps.catalog.engagement.visitors import Visitor
recording.buffer._every = 60
def view(number):
    recording.record_view(str(UUID(int=number)), Visitor(given="ann"))
"""
KILLED = """
for _ in range(3): view(1)
recording.buffer.flush()
for _ in range(2): view(2)
os.kill(os.getpid(), signal.SIGKILL)
"""
FORKED = """
view(1)
child = multiprocessing.get_context("fork").Process(target=view, args=(2,))
child.start()
child.join()
"""


def run(code: str) -> int:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "QUEUE_REDIS_URL": django_settings.QUEUE_REDIS_URL,
        "CACHE_PREFIX": django_settings.CACHE_PREFIX,
    }
    return subprocess.run([sys.executable, "-c", DJANGO + code], env=environment).returncode


def test_a_killed_process_loses_its_buffer_and_nothing_else():
    assert run(KILLED) == -signal.SIGKILL
    assert (counted(TEA), counted(CUP)) == (3, 0)


def test_a_process_that_ends_delivers_and_a_fork_delivers_only_its_own():
    assert run(FORKED) == 0
    assert (counted(TEA), counted(CUP)) == (1, 1)


def test_a_broken_id_is_left_out():
    recording.deliver([("no id", ANN), (TEA, ANN)])
    assert counted(TEA) == 1 and durable().zcard(names.key("trending")) == 1


def test_what_a_request_says_of_its_visitor(settings):
    meta = {
        "HTTP_X_VISITOR_ID": "v" * 70,
        "REMOTE_ADDR": "10.0.0.1",
        "HTTP_X_FORWARDED_FOR": "198.51.100.7, 192.0.2.9",
        "HTTP_USER_AGENT": "Mozilla",
    }
    one = visitor_of(meta)
    assert one.address == "10.0.0.1" and one.list_name is None
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"NUM_PROXIES": 1}
    assert visitor_of(meta).address == "192.0.2.9"
    named = visitor_of(meta | {"HTTP_X_VISITOR_ID": "v" * 64})
    assert named.list_name[0] == "v" and len(named.list_name) == 25
    assert one.counted_as(1) != one.counted_as(2)
    assert named.counted_as(1) == named.counted_as(2) == named.list_name


def test_a_redis_that_answers_with_errors_breaks_no_page():
    """As one does that is full or cannot write its disk; here keys are of another kind."""
    for name in ("trending", "sales:0:all", f"recent:{recording.EVERYBODY}"):
        durable().set(names.key(name), "something else")
    durable().hset(names.key("trending:mark"), mapping={"at": 0, "half": 1})
    before = outcomes()
    recording.deliver([(TEA, ANN)])
    assert outcomes() == before | {"away": before["away"] + 1}
    for answer in (reading.trending, lambda most: reading.best_sellers("all", most)):
        reading._ask._not_before = 0.0
        assert answer(9) == reading.Window(complete=False)
