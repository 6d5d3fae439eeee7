"""Requests and decisions that meet."""

import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import urllib3
from django.db import OperationalError, connections, transaction

from apps.common.databases import execute
from apps.common.ids import new_id
from apps.payments import facade, services
from apps.payments.contracts import Operation
from tests.integration.payments.money import (
    book,
    brief,
    open_payment,
    open_payments,
    operate,
    prepare,
    record,
)

AT_ONCE = 16


def post_at_once(gateway, path: str, body: dict, keys: list[str]) -> list[tuple[int, bytes]]:
    """The answers to the same request sent by as many threads as there are keys."""
    start = threading.Barrier(len(keys), timeout=20)

    def post(key: str) -> tuple[int, bytes]:
        with urllib3.PoolManager(retries=False) as pool:
            pool.request("GET", f"{gateway.url}/livez")
            start.wait()
            headers = {"Idempotency-Key": key}
            answer = pool.request("POST", gateway.url + path, json=body, headers=headers)
            return answer.status, answer.data

    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(post, keys))


def test_one_key_sent_many_times_at_once_moves_money_once_and_answers_alike(gateway):
    reference = str(new_id())
    amount = {"amount": "12.34", "currency": "GBP"}
    body = {"reference": reference, "amount": amount, "card_token": "tok_approve"}
    for path, sent, status in (
        ("/v1/authorizations", body, "authorized"),
        (f"/v1/payments/{reference}/captures", {}, "captured"),
        (f"/v1/payments/{reference}/refunds", {"amount": amount}, "refunded"),
    ):
        answers = post_at_once(gateway, path, sent, [path] * AT_ONCE)
        assert len(set(answers)) == 1
        assert answers[0][0] == 201
        assert json.loads(answers[0][1])["status"] == status
    [payment] = gateway.payments()
    assert (payment["captures"], payment["refunded"]) == (1, amount)


def test_without_the_one_key_the_same_intention_moves_money_again(gateway):
    """The control: it is the key that makes a repeat harmless."""
    reference = str(new_id())
    amount = {"amount": "10.00", "currency": "GBP"}
    body = {"reference": reference, "amount": amount, "card_token": "tok_approve"}
    post_at_once(gateway, "/v1/authorizations", body, ["a"])
    post_at_once(gateway, f"/v1/payments/{reference}/captures", {}, ["c"])
    part = {"amount": {"amount": "1.00", "currency": "GBP"}}
    keys = [str(number) for number in range(AT_ONCE)]
    answers = post_at_once(gateway, f"/v1/payments/{reference}/refunds", part, keys)
    assert Counter(status for status, _ in answers) == {201: 10, 409: 6}
    [payment] = gateway.payments()
    assert payment["refunded"] == amount


def capture_while_a_reversal_is_uncommitted(order_id) -> None:
    """``prepare(CAPTURE)`` on a connection of its own, with the reversal's still open."""

    def capture() -> None:
        try:
            with transaction.atomic(using="orders"):
                execute("orders", "SET LOCAL lock_timeout = '300ms'")
                facade.prepare(Operation.CAPTURE, [order_id])
        finally:
            connections["orders"].close()

    with transaction.atomic(using="orders"):
        facade.prepare(Operation.REVERSE, [order_id])
        with ThreadPoolExecutor(1) as pool:
            pool.submit(capture).result(timeout=20)


@pytest.mark.django_db(databases=["orders"], transaction=True)
def test_a_capture_waits_for_a_reversal_that_is_being_decided(gateway):
    order_id = open_payment()
    operate(Operation.AUTHORIZE, order_id)
    with pytest.raises(OperationalError, match="lock timeout"):
        capture_while_a_reversal_is_uncommitted(order_id)
    prepare(Operation.REVERSE, order_id)
    prepare(Operation.CAPTURE, order_id)
    assert "capture requested" not in book(order_id)


@pytest.mark.django_db(databases=["orders"], transaction=True)
def test_without_the_lock_a_capture_slips_past_a_reversal(gateway, monkeypatch):
    """The control: the same course of events, with the lock taken away."""
    monkeypatch.setattr(services, "lock_payments", lambda order_ids, **_: order_ids)
    order_id = open_payment()
    operate(Operation.AUTHORIZE, order_id)
    capture_while_a_reversal_is_uncommitted(order_id)
    assert {"void requested", "capture requested"} <= set(book(order_id))


@pytest.mark.django_db(databases=["orders"], transaction=True)
def test_captures_and_reversals_at_the_same_time_leave_no_money_behind(gateway):
    """Both intents are committed; whichever the gateway sees first, the books agree with it."""
    orders = open_payments(["tok_approve"] * 40)
    operate(Operation.AUTHORIZE, *orders)
    prepare(Operation.CAPTURE, *orders)
    start = threading.Barrier(2, timeout=20)

    def side(operation, prepared_now):
        try:
            if prepared_now:
                prepare(operation, *orders)
            start.wait()
            results = facade.perform(operation, orders)
            record(operation, results)
            return results
        finally:
            connections["orders"].close()

    with ThreadPoolExecutor(2) as pool:
        captures = pool.submit(side, Operation.CAPTURE, False)
        reversals = pool.submit(side, Operation.REVERSE, True)
        captures.result(timeout=60), reversals.result(timeout=60)

    assert {brief(one) for one in operate(Operation.REVERSE, *orders)} <= {
        "succeeded voided",
        "succeeded refunded",
    }
    assert {one.net.amount for one in facade.all_net_amounts()} == {0}
    assert {one["status"] for one in gateway.payments()} <= {"voided", "refunded"}
    assert facade.audit(set) == []
