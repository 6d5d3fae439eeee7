"""Several consumers of each group get the same events at once, each in an order of its own."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from apps.messaging.consuming.delivering import Verdict, deliver
from apps.messaging.groups import ConsumerGroup
from apps.sagas.engine import choreography
from apps.sagas.engine.driver import drive_batch
from apps.sagas.models import SagaRun
from tests.pump import checkout_groups, take_out
from tests.trade import Trade, axes, violations

pytestmark = pytest.mark.django_db(transaction=True, databases="__all__")
CONSUMERS = 3


def consume(group: ConsumerGroup, bodies: list[bytes], seed: int) -> None:
    """One consumer: gets what it could not apply again until all of it is applied."""
    try:
        rest = random.Random(seed).sample(bodies, len(bodies))
        while rest:
            verdicts = deliver(group, rest)
            assert Verdict.DEAD not in verdicts
            rest = [one for one, said in zip(rest, verdicts, strict=True) if said == Verdict.AGAIN]
    finally:
        connections.close_all()


def test_consumers_that_get_the_same_events_at_once_apply_each_once(gateway, settings):
    settings.CHECKOUT_COORDINATION = "choreographed"
    trade = Trade(stock=12)
    cards = ["tok_approve", "tok_approve", "tok_decline", "tok_capture_decline"]
    orders = [trade.place(card=cards[n % 4], MUG=1, CUP=1) for n in range(24)]
    with ThreadPoolExecutor(CONSUMERS * len(checkout_groups())) as threads:
        busy = True
        while busy:
            bodies = take_out()
            jobs = [
                threads.submit(consume, group, bodies, seed)
                for group in checkout_groups()
                for seed in range(CONSUMERS)
            ]
            for job in jobs:
                job.result()
            busy = bool(bodies) | bool(drive_batch()) | bool(choreography.look_after())
    runs = SagaRun.objects.filter(kind="checkout").values_list("status", flat=True)
    assert set(runs) == {"completed", "compensated"}
    sold = [one for one in orders if axes(one.order_id)[0] == "confirmed"]
    assert 0 < len(sold) <= 12
    assert trade.levels() == {"MUG": (12, len(sold)), "CUP": (12, len(sold))}
    assert violations() == {}
