"""What the reconciler found, for people: writes and reads of discrepancies and of its runs."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import transaction

from apps.common.actor import current_actor
from apps.common.databases import execute, fetch_all, require_atomic
from apps.common.errors import Conflict, InvalidInput, NotFound
from apps.common.failpoints import failpoint
from apps.messaging.staff_log import staff_change
from apps.payments.contracts import MoneyFinding, Reconciliation
from apps.payments.enums import DATABASE, DiscrepancyKind, DiscrepancyState
from apps.payments.models import MoneyDiscrepancy, ReconcilerRun

log = structlog.get_logger(__name__)
OURSELVES = "reconciler"
KEPT_RUNS = 2_000
MOST_REASON = 400


def note_open(finding: MoneyFinding) -> bool:
    """Opens a discrepancy and raises the alarm, unless these facts are known; what cleared by
    itself and came back is opened again. Returns whether it was opened."""
    with transaction.atomic(using=DATABASE):
        opened = execute(
            DATABASE,
            """
            INSERT INTO payments_moneydiscrepancy
                (kind, state, reference, order_id, detail, ended_by, reason)
            VALUES (%s, 'open', %s, %s, %s, '', '')
            ON CONFLICT (reference, kind, detail) DO UPDATE SET state = 'open',
                found_at = statement_timestamp(), ended_at = NULL, ended_by = '', reason = ''
            WHERE payments_moneydiscrepancy.ended_by = %s
                AND payments_moneydiscrepancy.state <> 'open'
            """,
            [finding.kind, finding.reference, finding.order_id, finding.detail, OURSELVES],
        )
        failpoint("payments.discrepancy.before_commit")
    failpoint("payments.discrepancy.after_commit")
    if opened:
        log.error(
            "payments.discrepancy",
            kind=finding.kind,
            reference=finding.reference,
            order=str(finding.order_id) if finding.order_id else None,
            detail=finding.detail,
        )
    return bool(opened)


def note_mended(finding: MoneyFinding, *, reason: str) -> None:
    """Keeps what was mended, in the transaction that mends it, and ends what was open of it."""
    require_atomic(DATABASE)
    execute(
        DATABASE,
        """
        INSERT INTO payments_moneydiscrepancy
            (kind, state, reference, order_id, detail, ended_at, ended_by, reason)
        VALUES (%s, 'mended', %s, %s, %s, statement_timestamp(), %s, %s)
        ON CONFLICT (reference, kind, detail) DO UPDATE SET state = 'mended',
            ended_at = excluded.ended_at, ended_by = excluded.ended_by, reason = excluded.reason
        """,
        [
            *(finding.kind, finding.reference, finding.order_id, finding.detail),
            *(OURSELVES, reason),
        ],
    )
    log.warning(
        "payments.mended",
        kind=finding.kind,
        action=finding.action,
        reference=finding.reference,
        order=str(finding.order_id) if finding.order_id else None,
        detail=finding.detail,
    )


def clear(reference: str, *, but: tuple[str, str] | None = None) -> int:
    """Ends what is open of a payment and no longer so (all but the kind and detail given)."""
    kind, detail = but or ("", "")
    with transaction.atomic(using=DATABASE):
        cleared = execute(
            DATABASE,
            """
            UPDATE payments_moneydiscrepancy SET state = 'resolved',
                ended_at = statement_timestamp(), ended_by = %s, reason = 'No longer so.'
            WHERE reference = %s AND state = 'open' AND NOT (kind = %s AND detail = %s)
            """,
            [OURSELVES, reference, kind, detail],
        )
        failpoint("payments.discrepancy.before_commit")
    failpoint("payments.discrepancy.after_commit")
    return cleared


def known(references: Sequence[str]) -> set[tuple[str, str, str]]:
    """Reference, kind and detail of what stands there about ``references``, but for what has come
    right by itself."""
    rows = fetch_all(
        DATABASE,
        "SELECT reference, kind, detail FROM payments_moneydiscrepancy"
        " WHERE reference = ANY(%s) AND (state = 'open' OR ended_by <> %s)",
        [list(references), OURSELVES],
    )
    return set(rows)


def open_references(after: int, limit: int) -> tuple[list[str], int]:
    """Payments with an open discrepancy, and the id to go on after (0 at the end)."""
    rows = fetch_all(
        DATABASE,
        "SELECT id, reference FROM payments_moneydiscrepancy WHERE state = 'open' AND id > %s"
        " ORDER BY id LIMIT %s",
        [after, limit],
    )
    last = rows[-1][0] if len(rows) == limit else 0
    return list({reference for _, reference in rows}), last


def open_discrepancies(*, most: int) -> tuple[int, list[tuple[int, str, datetime]]]:
    """How many are open, and the newest of them: id, kind in words, when it was found."""
    rows = fetch_all(
        DATABASE,
        "SELECT id, kind, found_at, count(*) OVER () FROM payments_moneydiscrepancy"
        " WHERE state = 'open' ORDER BY id DESC LIMIT %s",
        [most],
    )
    newest = [(row[0], DiscrepancyKind(row[1]).label, row[2]) for row in rows]
    return (rows[0][3] if rows else 0), newest


def discrepancy_resolve(*, discrepancy_id: int, reason: str) -> None:
    """A person has seen to it. Raises ``InvalidInput`` without a reason, ``NotFound``, and
    ``Conflict`` where it is not open any more."""
    reason = reason.strip()
    if not 0 < len(reason) <= MOST_REASON:
        raise InvalidInput.field("reason", "length", f"1 to {MOST_REASON} characters.")
    actor = current_actor()
    with transaction.atomic(using=DATABASE):
        rows = MoneyDiscrepancy.objects.using(DATABASE).select_for_update()
        row = rows.filter(pk=discrepancy_id).first()
        if row is None:
            raise NotFound("There is no such discrepancy.")
        if row.state != DiscrepancyState.OPEN:
            raise Conflict("It has ended meanwhile.")
        execute(
            DATABASE,
            """
            UPDATE payments_moneydiscrepancy SET state = 'resolved',
                ended_at = statement_timestamp(), ended_by = %s, reason = %s
            WHERE id = %s
            """,
            [actor.name[:150] if actor else "", reason, discrepancy_id],
        )
        staff_change(
            DATABASE,
            subject="payments.moneydiscrepancy",
            subject_id=discrepancy_id,
            action="resolve",
            before={"state": row.state},
            after={"state": DiscrepancyState.RESOLVED.value, "reason": reason},
        )
        failpoint("payments.discrepancy.before_commit")
    failpoint("payments.discrepancy.after_commit")


def run_record(*, run: Reconciliation, marks: dict) -> None:
    """Keeps a run for staff, and where the next one goes on; forgets the oldest."""
    with transaction.atomic(using=DATABASE):
        row = ReconcilerRun.objects.using(DATABASE).create(
            seconds=run.seconds,
            records=run.records,
            payments=run.payments,
            mended=run.mended,
            opened=run.opened,
            cleared=run.cleared,
            marks=marks,
        )
        execute(DATABASE, "DELETE FROM payments_reconcilerrun WHERE id <= %s", [row.pk - KEPT_RUNS])
        failpoint("payments.discrepancy.before_commit")
    failpoint("payments.discrepancy.after_commit")


def marks() -> dict:
    """Where the last run left off."""
    row = ReconcilerRun.objects.using(DATABASE).order_by("-id").values_list("marks").first()
    return row[0] if row else {}
