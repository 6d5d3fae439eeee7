"""How long a step is tried."""

import random

import pytest

from apps.orders.workflows.cancellation import CANCELLATION
from apps.orders.workflows.checkout import PATIENT
from apps.sagas.retry import FOR_EVER, RetryPolicy

STOP_CHECKOUT = CANCELLATION.steps[0].retry
SMALLEST_INTEGER_COLUMN = 2**15 - 1


def tried_for(policy: RetryPolicy) -> tuple[int, float]:
    """Attempts made and seconds gone by when ``policy`` gives up what always fails at once."""
    rng, attempt, elapsed = random.Random(7), 1, 0.0
    while (delay := policy.delay(attempt=attempt, elapsed=elapsed, rng=rng)) is not None:
        attempt, elapsed = attempt + 1, elapsed + delay
    return attempt, elapsed


@pytest.mark.parametrize("policy", [FOR_EVER, PATIENT, STOP_CHECKOUT])
def test_what_waits_for_another_part_is_given_up_by_the_clock(policy):
    attempts, seconds = tried_for(policy)
    assert seconds >= policy.schedule_to_close
    assert attempts < SMALLEST_INTEGER_COLUMN


def test_a_cancellation_outlasts_what_its_checkout_may_wait_for():
    waits = 2 * PATIENT.schedule_to_close + FOR_EVER.schedule_to_close
    assert STOP_CHECKOUT.schedule_to_close > waits


@pytest.mark.parametrize("attempt", [1023, 1024, 5000, 30_000])
def test_the_thousandth_delay_is_as_long_as_the_tenth(attempt):
    policy = RetryPolicy(max_attempts=SMALLEST_INTEGER_COLUMN, cap=1.0)
    delay = policy.delay(attempt=attempt, elapsed=0.0, rng=random.Random(1))
    assert 0.0 <= delay <= 1.0
