"""Many payments at the gateway at once: a bounded pool of threads without database."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.conf import settings

from apps.payments import movements, selectors
from apps.payments.client import gateway
from apps.payments.contracts import MoneyState, Operation, PaymentResult, PaymentStatus
from apps.payments.gateways import Gateway, Unreachable
from apps.payments.position import Position
from apps.sagas.failpoints import failpoint

NO_PAYMENT = "no_payment"


def perform_all(
    operation: Operation, order_ids: Sequence[UUID], seconds: float | None = None
) -> list[PaymentResult]:
    """The results in the order of ``order_ids``.

    Calls not begun within ``seconds`` (default ``GATEWAY_PERFORM_SECONDS``) are left for the next
    time, so that the caller's lease holds: all is done about one read time-out per call later.
    """
    until = time.monotonic() + (settings.GATEWAY_PERFORM_SECONDS if seconds is None else seconds)
    positions = selectors.positions(order_ids)
    there, found = gateway(), [positions[one] for one in order_ids if one in positions]
    results = {one.order_id: one for one in _run(there, operation, found, until)}
    return [results.get(one) or _without_payment(operation, one) for one in order_ids]


def _run(
    there: Gateway, operation: Operation, positions: Sequence[Position], until: float
) -> Iterator[PaymentResult]:
    if not positions:
        return iter(())

    def one(position: Position) -> PaymentResult:
        if time.monotonic() > until:
            late = Unreachable("no_time", "left for the next attempt")
            return movements.not_reached(operation, position, late)
        failpoint("payments.before_gateway_call")
        result = movements.perform(there, operation, position)
        failpoint("payments.after_gateway_call")
        return result

    workers = min(settings.GATEWAY_CONCURRENCY, len(positions))
    with ThreadPoolExecutor(workers, thread_name_prefix="gateway") as pool:
        return iter(list(pool.map(one, positions)))


def _without_payment(operation: Operation, order_id: UUID) -> PaymentResult:
    nothing_to_undo = operation is Operation.REVERSE
    status = PaymentStatus.SUCCEEDED if nothing_to_undo else PaymentStatus.DECLINED
    return PaymentResult(order_id, status, MoneyState.NOT_PAID, NO_PAYMENT)
