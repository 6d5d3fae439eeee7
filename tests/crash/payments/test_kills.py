"""kill -9 of the gateway and of the process that calls it: the same books afterwards."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import urllib3
from django.db import connections

from apps.payments import facade
from apps.payments.contracts import Operation
from tests.gateway import ROOT
from tests.integration.payments.money import (
    brief,
    open_payments,
    operate,
    prepare,
    settled_alone,
)

MANY = 300


def test_a_killed_gateway_forgets_nothing_it_has_acknowledged(gateway):
    enough = threading.Semaphore(0)

    def authorize(number: int) -> str | None:
        body = {
            "reference": f"r{number}",
            "amount": {"amount": "1.00", "currency": "GBP"},
            "card_token": "tok_approve",
        }
        try:
            answer = pool.request(
                "POST",
                f"{gateway.url}/v1/authorizations",
                json=body,
                headers={"Idempotency-Key": f"k{number}"},
            )
        except urllib3.exceptions.HTTPError:
            return None
        enough.release()
        return f"r{number}" if answer.status == 201 else None

    with urllib3.PoolManager(maxsize=8, retries=False) as pool, ThreadPoolExecutor(8) as threads:
        answers = threads.map(authorize, range(2_000))
        for _ in range(300):
            enough.acquire(timeout=20)
        gateway.restart()
        acknowledged = {one for one in answers if one}
    known = [one["reference"] for one in gateway.payments()]
    assert len(acknowledged) >= 300
    assert acknowledged <= set(known)
    assert len(known) == len(set(known))


@pytest.mark.django_db(databases=["orders"], transaction=True)
@pytest.mark.parametrize("operation", [Operation.AUTHORIZE, Operation.CAPTURE, Operation.REVERSE])
def test_a_gateway_killed_in_the_middle_of_a_batch_moves_money_once(gateway, settings, operation):
    settings.GATEWAY_CONCURRENCY, settings.GATEWAY_BREAKER_FAILURES = 4, 10 * MANY
    orders = open_payments(["tok_approve"] * MANY)
    if operation is not Operation.AUTHORIZE:
        operate(Operation.AUTHORIZE, *orders)
    if operation is Operation.REVERSE:
        operate(Operation.CAPTURE, *orders)
    state = {"authorize": "authorized", "capture": "captured", "reverse": "refunded"}[operation]

    prepare(operation, *orders)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_perform, operation, orders)
        while not running.done() and _count(gateway)[state] < MANY // 10:
            pass
        gateway.restart()
        first = running.result(timeout=60)

    assert {one.status.value for one in first} <= {"succeeded", "unknown", "unreachable"}
    assert sum(one.status.value == "succeeded" for one in first) < MANY
    # The first answers are lost as well: nothing was recorded, as if the caller had died too.
    results = operate(operation, *orders)
    assert {brief(one) for one in results} == {f"succeeded {state}"}
    assert _count(gateway) == {state: MANY}
    captures = {one["captures"] for one in gateway.payments()}
    assert captures == {0 if state == "authorized" else 1}
    assert facade.audit(settled_alone) == []


def _count(gateway) -> Counter:
    """How many payments the gateway has in each state."""
    return Counter(one["status"] for one in gateway.payments())


def _perform(operation, orders):
    try:
        return facade.perform(operation, orders)
    finally:
        connections["orders"].close()


CALLER = """
import sys, uuid, django
django.setup()
from apps.payments.contracts import Operation
from tests.integration.payments.money import operate
operate(Operation(sys.argv[1]), *map(uuid.UUID, sys.argv[2:]))
"""


def die_while(gateway, operation, orders, failpoint: str) -> int:
    """Runs ``operation`` in a process of its own with ``failpoint`` armed; its return code."""
    database = connections["orders"].settings_dict
    user, password = quote(database["USER"]), quote(database["PASSWORD"] or "")
    host, port = quote(database["HOST"], safe=""), database["PORT"]
    url = f"postgres://{user}:{password}@{host}{f':{port}' if port else ''}/{database['NAME']}"
    environment = os.environ | gateway.environment
    environment |= {"ORDERS_DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "project.settings"}
    environment |= {"FAILPOINTS_ENABLED": "1", "FAILPOINT": failpoint, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CALLER, operation, *map(str, orders)]
    return subprocess.run(command, cwd=ROOT, env=environment, timeout=60).returncode


@pytest.mark.django_db(databases=["orders"], transaction=True)
@pytest.mark.parametrize("point", ["payments.before_gateway_call", "payments.after_gateway_call"])
def test_a_caller_killed_around_its_calls_leaves_the_same_books(gateway, point):
    orders = open_payments(["tok_approve"] * 12)
    for operation, state in (
        (Operation.AUTHORIZE, "authorized"),
        (Operation.CAPTURE, "captured"),
        (Operation.REVERSE, "refunded"),
    ):
        died = die_while(gateway, operation, orders, f"{point}:5:kill")
        assert died == -signal.SIGKILL
        results = operate(operation, *orders)
        assert {brief(one) for one in results} == {f"succeeded {state}"}
        assert _count(gateway) == {state: 12}
    assert facade.audit(settled_alone) == []
    assert {one.net.amount for one in facade.all_net_amounts()} == {0}
