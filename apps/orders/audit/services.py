"""Carries out an audit while the shop runs.

Four databases and a gateway have no common snapshot, so a difference may only be an order under
way. What looks wrong is therefore read again, and counts where it is still wrong on an order whose
sagas have all ended and that did not move between two reads.
"""

import time
from collections import Counter
from collections.abc import Collection
from uuid import UUID

from apps.catalog import facade as catalog
from apps.eventlog.facade import events_look
from apps.orders.audit import facts, others
from apps.orders.audit.checks import ORDER_CHECKS
from apps.orders.audit.facts import OrderFacts, Stock
from apps.orders.audit.models import AuditRun
from apps.orders.audit.replies import idempotency_replayable
from apps.orders.audit.report import AuditReport, CheckResult
from apps.payments import facade as payments
from apps.sagas import facade as sagas
from apps.sagas.contracts import RunState

# The saga's own deadline is an hour; an order under way for longer than this is stuck.
TERMINAL_WITHIN_SECONDS = 2 * 3600.0
KEPT_IDS = 100
STOCK_CHECKS = {
    "stock_item": "stock_items_exist",
    "stock_bounds": "stock_never_oversold",
    "stock_reservations": "stock_matches_reservations",
    "stock_ledger": "stock_matches_ledger",
}


def audit_run(*, trigger: AuditRun.Trigger) -> AuditReport:
    """Carries out all checks, records the run for staff and returns what was found.

    Raises what a part raises that does not answer; the run is then recorded with that error.
    """
    begun = time.monotonic()
    try:
        checks = _orders() | _gateway() | _stock()
        checks["idempotency_replayable"] = idempotency_replayable()
        checks |= _events()
        checks |= {name: CheckResult(*check()) for name, check in others.registered().items()}
    except Exception as error:
        _record(trigger, time.monotonic() - begun, error=f"{type(error).__name__}: {error}")
        raise
    report = AuditReport(checks, time.monotonic() - begun)
    _record(trigger, report.seconds, report=report)
    return report


def _record(
    trigger: AuditRun.Trigger, seconds: float, report: AuditReport | None = None, error: str = ""
) -> None:
    AuditRun.objects.create(
        trigger=trigger,
        seconds=seconds,
        violations=report.violations if report else 0,
        checks=report.as_json(most_ids=KEPT_IDS)["checks"] if report else {},
        error=error,
    )


class Sweep:
    """One pass over all orders: how many were checked, who is suspect, and the sums."""

    def __init__(self) -> None:
        self.settled = 0
        self.suspects: set[UUID] = set()
        self.kept: Counter[str] = Counter()
        self.sold: Counter[str] = Counter()

    def take(self, order: OrderFacts) -> None:
        """Counts an order in; one that is not settled proves nothing yet."""
        if not order.is_settled:
            return
        self.settled += 1
        if any(check(order) for check in ORDER_CHECKS.values()):
            self.suspects.add(order.order_id)
        # Both sums come from one snapshot of one database, so they need no second look.
        if order.money is not None:
            self.kept[order.currency] += order.money.net.amount
        if order.is_sold:
            self.sold[order.currency] += order.total - order.back.refunded

    def balance(self) -> CheckResult:
        """12: Σ captured − Σ refunded = Σ totals of the confirmed orders less what was given back
        for returns, for each currency."""
        wrong = {
            currency: f"{self.kept[currency]} kept for orders of {self.sold[currency]}"
            for currency in {*self.kept, *self.sold}
            if self.kept[currency] != self.sold[currency]
        }
        return CheckResult(self.settled, wrong)


def _orders() -> dict[str, CheckResult]:
    stock = Stock.read()
    homeless, nowhere = set(stock.held), set(stock.returned)
    sweep = Sweep()
    with facts.snapshot():
        for chunk in facts.order_ids_by_chunk():
            homeless.difference_update(chunk)
            nowhere.difference_update(chunk)
            for order in facts.read_facts(chunk, stock=stock):
                sweep.take(order)
    wrong: dict[str, dict[str, str]] = {name: {} for name in ORDER_CHECKS}
    for order in _at_rest(sweep.suspects):
        for name, check in ORDER_CHECKS.items():
            if why := check(order):
                wrong[name][str(order.order_id)] = why
    for order_id in homeless:
        wrong["no_reservation_for_dead_orders"][str(order_id)] = "there is no such order"
    for order_id in nowhere:
        wrong["returns_restocked"][str(order_id)] = "there is no such order"
    for run_id in sagas.stale_runs(older_than=TERMINAL_WITHIN_SECONDS):
        wrong["orders_terminal"][str(run_id)] = "the saga of this id is under way for hours"
    checks = {name: CheckResult(sweep.settled, wrong[name]) for name in ORDER_CHECKS}
    return checks | {"money_balances": sweep.balance()}


def _at_rest(order_ids: Collection[UUID]) -> list[OrderFacts]:
    """The second look: fresh facts of those orders that are settled and stayed as they were
    while the other databases were asked."""
    if not order_ids:
        return []
    before = _read_again(order_ids, Stock())
    after = _read_again(order_ids, Stock.read())
    return [
        order
        for order in after.values()
        if order.is_settled
        and order.order_id in before
        and _mark(order) == _mark(before[order.order_id])
    ]


def _mark(order: OrderFacts) -> tuple[int, tuple[RunState, ...]]:
    """Changes with every move of the order."""
    return order.version, order.runs


def _read_again(order_ids: Collection[UUID], stock: Stock) -> dict[UUID, OrderFacts]:
    with facts.snapshot():
        orders = facts.read_facts(list(order_ids), stock=stock)
    return {order.order_id: order for order in orders}


def _gateway() -> dict[str, CheckResult]:
    """2: our ledger and the gateway's own record agree; payments look twice themselves."""
    checked = sum(1 for _ in payments.all_net_amounts())
    wrong: dict[str, dict[str, str]] = {"one_capture_at_gateway": {}, "captures_match_gateway": {}}
    for finding in payments.audit(facts.settled):
        twice = finding.check == "captured_twice"
        name = "one_capture_at_gateway" if twice else "captures_match_gateway"
        wrong[name][finding.subject] = f"{finding.check}: {finding.detail}"
    return {name: CheckResult(checked, found) for name, found in wrong.items()}


def _events() -> dict[str, CheckResult]:
    """5: every committed event is in the log, and applied or a dead letter in each group."""
    return {name: CheckResult(look.checked, look.missing) for name, look in events_look().items()}


def _stock() -> dict[str, CheckResult]:
    """3: reservations, stock and ledger agree; each look sees one moment of one database."""
    wrong: dict[str, dict[str, str]] = {name: {} for name in STOCK_CHECKS.values()}
    for finding in catalog.audit_stock():
        wrong[STOCK_CHECKS[finding.check]][finding.subject] = finding.detail
    checked = catalog.count_stock_items()
    return {name: CheckResult(checked, found) for name, found in wrong.items()}
