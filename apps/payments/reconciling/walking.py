"""One run: the gateway's list and our payments, page by page, in bounded time and memory.

The list grows at its end, so a run reads what is new ("front") and then a stretch of what is old
("sweep"), which in time comes round to everything. Open discrepancies are looked at every time.
"""

import time
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from apps.payments import selectors
from apps.payments.audits import differences
from apps.payments.contracts import (
    GatewayRecord,
    MoneyFinding,
    Reconciliation,
    Standing,
)
from apps.payments.gateways import Gateway
from apps.payments.position import Position
from apps.payments.reconciling import discrepancies, mending
from apps.payments.reconciling.mending import Orders
from apps.payments.reconciling.verdicts import (
    Action,
    Verdict,
    holds_money,
    judge,
    judge_stranger,
)

PAGE = 1_000
SWEEP_PAGES = 20
MOST_SUSPECTS = 2_000  # looked at one by one in a run
# Each verdict may uncover the next: first the missing answer, then what it means.
ROUNDS = 3


class Run:
    """``marks`` is where the run before left off; ``seconds`` what this one may take."""

    def __init__(
        self, gateway: Gateway, orders: Orders, *, marks: dict, seconds: float, dry_run: bool
    ):
        self.gateway, self.orders, self.dry_run = gateway, orders, dry_run
        self.marks = {"front": 0, "sweep": 0, "ledger": str(UUID(int=0)), "open": 0} | marks
        self.begun = time.monotonic()
        self.until = self.begun + seconds
        self.grace = settings.RECONCILE_AFTER_SECONDS
        self.findings: dict[str, list[MoneyFinding]] = {}
        self.examined: set[str] = set()
        self.records = self.payments = self.opened = self.cleared = 0

    def go(self) -> Reconciliation:
        self._look_again()
        self._walk_front()
        self._walk_sweep()
        self._walk_ledger()
        return Reconciliation(
            self.records,
            self.payments,
            tuple(one for each in self.findings.values() for one in each),
            self.opened,
            self.cleared,
            round(time.monotonic() - self.begun, 3),
        )

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.until or len(self.examined) >= MOST_SUSPECTS

    # --- walking -------------------------------------------------------------------------------
    def _look_again(self) -> None:
        references, self.marks["open"] = discrepancies.open_references(self.marks["open"], PAGE)
        for reference in references:
            if not self.is_over:
                self._examine(reference)

    def _walk_front(self) -> None:
        """To the end of the gateway's list; the mark stays before what is still young."""
        after, all_old = self.marks["front"], True
        while not self.is_over:
            records, following = self.gateway.page(after)
            self._page(records)
            all_old = all_old and not any(self._is_young(one) for one in records)
            if following is None or self.is_over:
                return
            if all_old:
                self.marks["front"] = following
            after = following

    def _walk_sweep(self) -> None:
        after, end = self.marks["sweep"], self.marks["front"]
        for _ in range(SWEEP_PAGES):
            if self.is_over or after >= end:
                break
            records, following = self.gateway.page(after)
            self._page(records)
            after = end if following is None else following
        self.marks["sweep"] = 0 if after >= end else after

    def _walk_ledger(self) -> None:
        """Payments of ours whose movements are open: the gateway may not even know them."""
        after = UUID(self.marks["ledger"])
        for _ in range(SWEEP_PAGES):
            if self.is_over:
                break
            page = selectors.page_of_positions(after, PAGE)
            self.payments += len(page)
            self._suspect({str(one): page[one] for one in page if page[one].is_open})
            after = max(page) if len(page) == PAGE else UUID(int=0)
            if not after.int:
                break
        self.marks["ledger"] = str(after)

    def _is_young(self, record: GatewayRecord) -> bool:
        age = timezone.now() - record.created_at if record.created_at else timedelta()
        return age < timedelta(seconds=self.grace)

    # --- suspects ------------------------------------------------------------------------------
    def _page(self, records: list[GatewayRecord]) -> None:
        self.records += len(records)
        ours = selectors.positions_of([one.reference for one in records])
        self._strangers([one for one in records if one.reference not in ours])
        records = [one for one in records if one.reference in ours]
        holding = [ours[one.reference].order_id for one in records if holds_money(one)]
        dead = self.orders.dead(holding)
        self._suspect(
            {
                one.reference: ours[one.reference]
                for one in records
                if any(differences(ours[one.reference], one))
                or (holds_money(one) and ours[one.reference].order_id in dead)
            }
        )

    def _strangers(self, records: list[GatewayRecord]) -> None:
        """Reports those that are new: another shop may have very many, at the same gateway."""
        old = [one for one in records if not self._is_young(one)]
        known = discrepancies.known([one.reference for one in old])
        for record in old:
            verdict = judge_stranger(record)
            if verdict and (record.reference, verdict.kind.value, verdict.detail) not in known:
                self._report_stranger(record)

    def _suspect(self, suspects: dict[str, Position]) -> None:
        """Leaves out what somebody works on or has just worked on, looks at the others anew."""
        if not suspects:
            return
        standings = self.orders.standings([one.order_id for one in suspects.values()])
        at_rest = {
            reference: one
            for reference, one in suspects.items()
            if standings[one.order_id] is not Standing.LIVE
        }
        payments = [one.payment_id for one in at_rest.values()]
        quiet = selectors.quiet(payments, seconds=self.grace)
        for reference, one in at_rest.items():
            if one.payment_id in quiet and not self.is_over:
                self._examine(reference)

    def _examine(self, reference: str) -> None:
        """Reads a payment anew, first its order, then the gateway, then our ledger; acts."""
        if reference in self.examined:
            return
        self.examined.add(reference)
        for _ in range(ROUNDS):
            known = selectors.positions_of([reference]).get(reference)
            if known is None:
                record = self.gateway.find(reference)
                if record is not None:
                    self._report_stranger(record)
                return
            standing = self.orders.standings([known.order_id])[known.order_id]
            record = self.gateway.find(reference)
            position = selectors.positions_of([reference])[reference]
            verdict = judge(position, record, standing)
            if not self._carry_out(position, record, verdict, standing):
                return

    def _carry_out(
        self,
        position: Position,
        record: GatewayRecord | None,
        verdict: Verdict | None,
        standing: Standing,
    ) -> bool:
        """Whether there may be more to do."""
        reference = str(position.payment_id)
        if verdict is None:
            if standing is not Standing.LIVE:
                self._clear(reference)
            return False
        finding = mending.found(position, verdict)
        if verdict.action is not Action.REPORT and not self.dry_run:
            done = mending.mend(self.gateway, self.orders, position, record, verdict)
            if done:
                self._found(replace(finding, done=True))
            return done
        self._report(finding)
        return False

    def _report_stranger(self, record: GatewayRecord) -> None:
        verdict = judge_stranger(record)
        self.examined.add(record.reference)
        if verdict is None:
            self._clear(record.reference)
            return
        self._report(MoneyFinding(verdict.kind.value, record.reference, None, "", verdict.detail))

    def _report(self, finding: MoneyFinding) -> None:
        self._found(finding)
        if not self.dry_run and not finding.action:
            self.opened += discrepancies.note_open(finding)
            self._clear(finding.reference, but=(finding.kind, finding.detail))

    def _clear(self, reference: str, but: tuple[str, str] | None = None) -> None:
        if not self.dry_run:
            self.cleared += discrepancies.clear(reference, but=but)

    def _found(self, finding: MoneyFinding) -> None:
        mine = self.findings.setdefault(finding.reference, [])
        if finding not in mine:
            mine.append(finding)
