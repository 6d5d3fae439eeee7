"""While the customers database is away: do orders that are accepted still end?"""

import time
from collections.abc import Callable
from uuid import UUID

from django.db import connections

from apps.customers.contracts import Address
from apps.orders import facade as orders
from apps.orders.contracts import OrderLine, PlaceOrder
from chaos import books
from chaos.goods import ADDRESS, Goods

BURST = 10  # orders placed meanwhile, as an import or another server would
LIVE = "SELECT id, version FROM sagas_sagarun WHERE status <> ALL(%s)"
# What waits for its next attempt may wait on.
STILL = (
    "SELECT kind, business_key, status, step, claims, lease_token <> 0, error_detail"
    " FROM sagas_sagarun JOIN unnest(%s::uuid[], %s::int[]) AS before(id, version)"
    " USING (id, version) WHERE status <> ALL(%s)"
    " AND NOT (lease_token = 0 AND attempt > 1 AND next_run_at > clock_timestamp())"
)


class Away:
    """``accept`` is told of each order placed here, ``report`` of what stood still."""

    def __init__(
        self,
        goods: Goods,
        accept: Callable[[UUID, str], None],
        report: Callable[[str], None],
    ):
        self.goods, self.accept, self.report = goods, accept, report
        self._bursts = 0

    def watch(self, seconds: float) -> str:
        """Stays for ``seconds``; says how many orders were in flight, and that they ended."""
        until = time.monotonic() + seconds
        self._place_some()
        flying = books.rows("orders", LIVE, list(books.ENDED))
        time.sleep(max(until - time.monotonic(), 0))
        before = [list(column) for column in zip(*flying, strict=True)]
        still = books.rows("orders", STILL, *before, list(books.ENDED))
        if len(still) > len(flying) / 2:  # a busy machine may not get round to all of them
            self.report(
                f"{len(still)} of {len(flying)} runs stood still while the customers database was"
                f" away, e.g. {still[0]}"
            )
        return f"{len(flying)} runs in flight, {len(flying) - len(still)} went on"

    def _place_some(self) -> None:
        self._bursts += 1
        customer_id = min(self.goods.customers)
        lines = (OrderLine(self.goods.plenty[0], 1),)
        try:
            for number in range(BURST):
                key = f"chaos-away-{self._bursts}-{number}"
                principal = f"customer:{customer_id}"
                address = Address(**ADDRESS)
                command = PlaceOrder(principal, key, customer_id, lines, "tok_approve", address)
                self.accept(orders.place_order(command).order_id, key)
        finally:
            for connection in connections.all():
                connection.close()
