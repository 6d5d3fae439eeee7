"""Many payments at the gateway at once: a bounded pool of threads without database."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import connections

from apps.common.failpoints import failpoint
from apps.payments import movements, selectors
from apps.payments.client import gateway
from apps.payments.contracts import (
    MoneyState,
    Operation,
    PaymentResult,
    PaymentStatus,
    RefundPayment,
)
from apps.payments.enums import DATABASE
from apps.payments.gateways import Unreachable
from apps.payments.position import Position

NO_PAYMENT = "no_payment"
T = TypeVar("T")


def submit_all(
    operation: Operation,
    order_ids: Sequence[UUID],
    then: Callable[[PaymentResult], T],
    seconds: float | None = None,
) -> list[T | Future[T]]:
    """For each of ``order_ids`` what ``then`` makes of its result, or a future of it.

    What needs no gateway is answered at once. Calls not begun within ``seconds`` (default
    ``GATEWAY_PERFORM_SECONDS``) are left for the next time, so that the caller's lease holds: all
    is done about one read time-out per call later.
    """
    _require_no_transaction()
    until = time.monotonic() + (settings.GATEWAY_PERFORM_SECONDS if seconds is None else seconds)
    positions = selectors.positions(order_ids)

    def begin(order_id: UUID) -> T | Future[T]:
        position = positions.get(order_id)
        if position is None:
            return then(_without_payment(operation, order_id))
        if position.on_account:
            return then(movements.settle_in_books(operation, position))
        return _pool().submit(lambda: then(_call(operation, position, until)))

    return [begin(order_id) for order_id in order_ids]


def perform_all(
    operation: Operation, order_ids: Sequence[UUID], seconds: float | None = None
) -> list[PaymentResult]:
    """The results in the order of ``order_ids``, once the last of them is there."""
    return list(gathered(submit_all(operation, order_ids, lambda result: result, seconds)))


def gathered(results: Sequence[T | Future[T]]) -> Iterator[T]:
    """The values of ``results``, waiting for those that are futures."""
    for one in results:
        yield one.result() if isinstance(one, Future) else one


def submit_refunds(
    refunds: Sequence[RefundPayment],
    then: Callable[[PaymentResult], T],
    seconds: float | None = None,
) -> list[T | Future[T]]:
    """As ``submit_all`` for refunds of parts."""
    _require_no_transaction()
    until = time.monotonic() + (settings.GATEWAY_PERFORM_SECONDS if seconds is None else seconds)
    positions = selectors.positions([one.order_id for one in refunds])

    def begin(refund: RefundPayment) -> T | Future[T]:
        position = positions.get(refund.order_id)
        if position is None:
            declined, nothing = PaymentStatus.DECLINED, MoneyState.NOT_PAID
            return then(PaymentResult(refund.order_id, declined, nothing, NO_PAYMENT))
        known = movements.part_settled(position, refund.refund_id)
        if known:
            return then(known)
        return _pool().submit(lambda: then(_refund(position, refund.refund_id, until)))

    return [begin(refund) for refund in refunds]


def perform_refunds(
    refunds: Sequence[RefundPayment], seconds: float | None = None
) -> list[PaymentResult]:
    """The results in the order of ``refunds``, once the last of them is there."""
    return list(gathered(submit_refunds(refunds, lambda result: result, seconds)))


def _require_no_transaction() -> None:
    if connections[DATABASE].in_atomic_block:
        raise RuntimeError("no gateway call inside a transaction")


def _refund(position: Position, refund_id: UUID, until: float) -> PaymentResult:
    if time.monotonic() > until:
        late = Unreachable("no_time", "left for the next attempt")
        return movements.part_not_reached(position, refund_id, late)
    failpoint("payments.before_gateway_call")
    result = movements.refund_part(gateway(), position, refund_id)
    failpoint("payments.after_gateway_call")
    return result


def _call(operation: Operation, position: Position, until: float) -> PaymentResult:
    if time.monotonic() > until:
        late = Unreachable("no_time", "left for the next attempt")
        return movements.not_reached(operation, position, late)
    failpoint("payments.before_gateway_call")
    result = movements.perform(gateway(), operation, position)
    failpoint("payments.after_gateway_call")
    return result


def _without_payment(operation: Operation, order_id: UUID) -> PaymentResult:
    nothing_to_undo = operation is Operation.REVERSE
    status = PaymentStatus.SUCCEEDED if nothing_to_undo else PaymentStatus.DECLINED
    return PaymentResult(order_id, status, MoneyState.NOT_PAID, NO_PAYMENT)


def _pool() -> ThreadPoolExecutor:
    return _pool_of(settings.GATEWAY_CONCURRENCY)


@lru_cache(maxsize=2)
def _pool_of(size: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(size, thread_name_prefix="gateway")


os.register_at_fork(after_in_child=_pool_of.cache_clear)  # threads do not survive a fork
