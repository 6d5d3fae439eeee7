"""What the money reconciler must know of orders, and its scheduled job."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from apps.common.databases import fetch_all
from apps.orders.audit import facts, returns
from apps.orders.enums import DATABASE, OrderStatus
from apps.orders.services import moving
from apps.payments import facade as payments
from apps.payments.contracts import MoneyState, Reconciliation, Standing
from apps.sagas.enums import LIVE, RunStatus
from apps.scheduling.definition import Counts, job

log = structlog.get_logger(__name__)


class OurOrders:
    """The orders' part of ``payments.facade.reconcile``."""

    def standings(self, order_ids: Sequence[UUID]) -> dict[UUID, Standing]:
        status = _status(order_ids)
        runs, of_returns = facts.runs_of(order_ids), returns.runs_of(order_ids)
        return {
            one: _standing(status.get(one), [run.status for run in [*runs[one], *of_returns[one]]])
            for one in order_ids
        }

    def dead(self, order_ids: Sequence[UUID]) -> set[UUID]:
        status = _status(order_ids)
        return {one for one in order_ids if status.get(one) in (None, OrderStatus.CANCELLED)}

    def moved(self, states: Mapping[UUID, MoneyState]) -> None:
        moving.orders_set_payment({order_id: state.value for order_id, state in states.items()})


def _status(order_ids: Sequence[UUID]) -> dict[UUID, str]:
    rows = fetch_all(
        DATABASE,
        "SELECT id, status FROM orders_order WHERE id = ANY(%s::uuid[])",
        [list(order_ids)],
    )
    return dict(rows)


def _standing(status: str | None, runs: Sequence[str]) -> Standing:
    if any(run in LIVE for run in runs):
        return Standing.LIVE
    if status is None:
        return Standing.MISSING
    # A pending order of which no saga is left wants a person as well.
    if RunStatus.FAILED in runs or status == OrderStatus.PENDING:
        return Standing.PARKED
    return Standing.UNDONE if status == OrderStatus.CANCELLED else Standing.KEPT


def reconcile_money(*, dry_run: bool = False) -> Reconciliation:
    """Runs the reconciler over this shop's orders. Raises ``Unavailable`` without a gateway."""
    return payments.reconcile(OurOrders(), dry_run=dry_run)


@job(
    name="reconcile-money",
    title="Reconcile the money",
    about="Compares the gateway's records with our ledger; mends what is safe, reports the rest.",
    schedule=timedelta(minutes=5),
    database=DATABASE,
)
def reconcile() -> Counts:
    """What it mends and finds stands among the money discrepancies."""
    run = reconcile_money()
    return {
        "records": run.records,
        "payments": run.payments,
        "mended": run.mended,
        "for_a_person": run.opened,
        "cleared": run.cleared,
    }
