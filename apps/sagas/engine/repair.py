"""A person's hand on a run: retry, compensate, park, mark done.

Each is one transaction that locks the run, refuses while a worker holds it or where it is not at
the version that the person saw, and ends a lease that ran out, so that a holder who comes back
late writes nothing. The log and the audit log of staff commit with it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from uuid import UUID

import orjson

from apps.common.actor import current_actor
from apps.common.databases import execute, fetch_all, require_atomic
from apps.common.errors import HoldfastError
from apps.common.storing import storable
from apps.messaging.staff_log import staff_change
from apps.sagas.contracts import RepairProspect, RunState
from apps.sagas.definition import lookup
from apps.sagas.engine import leases, store
from apps.sagas.engine.repair_rules import RULES, STOPPED, Case, retry, rule
from apps.sagas.engine.state import Change, Run
from apps.sagas.enums import DATABASE, RunStatus
from apps.sagas.errors import RunNotFound, changed_meanwhile

SUBJECT = "sagas.sagarun"


def repair(action: str, *, run_id: UUID, version: int | None, reason: str) -> RunState:
    """Does ``action`` (a key of ``RULES``) to a run, in the caller's transaction.

    ``version`` is the one the person saw. Raises ``RunNotFound``, ``VersionConflict``, ``RunHeld``
    and ``NotRepairable``; nothing is written then.
    """
    require_atomic(DATABASE)
    [case] = _cases([run_id], lock=True) or [None]
    if case is None:
        raise RunNotFound()
    run = case.run
    if version is not None and version != run.version:
        raise changed_meanwhile(run.version)
    case.words = _words(reason)
    before = _place(run)
    change = rule(action, case)
    if change is None:
        _ask_to_turn(case)
    else:
        _save(case, change)
    staff_change(
        DATABASE,
        subject=SUBJECT,
        subject_id=run.id,
        action=action,
        before=before,
        after=_place(run) | {"reason": reason},
    )
    return RunState(run.id, run.kind, run.business_key, str(run.status), run.version)


def ask_again(run_id: UUID, data: Mapping[str, Any]) -> bool:
    """A run that was refused before anything had to be undone tries again where it was refused,
    with ``data`` added to its own; False if it was not."""
    require_atomic(DATABASE)
    [case] = _cases([run_id], lock=True)
    if not case.was_refused:
        return False
    change = retry(case, "asked_again")
    _save(case, change, data)
    return True


def prospects(action: str, run_ids: Sequence[UUID]) -> list[RepairProspect]:
    """What would become of ``action`` for each of the runs. Writes nothing."""
    return [
        RepairProspect(case.run.id, case.run.version, _refusal(action, case))
        for case in _cases(run_ids, lock=False)
    ]


def possible(run_id: UUID) -> dict[str, str]:
    """For each action why it is not possible for the run now, "" if it is."""
    return {
        action: _refusal(action, replace(case, run=case.run.copy()))
        for case in _cases([run_id], lock=False)
        for action in RULES
    }


def _refusal(action: str, case: Case) -> str:
    try:
        rule(action, case)
    except HoldfastError as error:
        return error.detail
    return ""


def _cases(run_ids: Sequence[UUID], *, lock: bool) -> list[Case]:
    """The runs with their steps, ``lock``ed in the order of their ids."""
    rows = fetch_all(
        DATABASE,
        f"""
        SELECT {leases.COLUMNS},
            style = 'choreographed',
            lease_token <> 0 AND coalesce(lease_until > clock_timestamp(), false)
        FROM sagas_sagarun WHERE id = ANY(%s) ORDER BY id {"FOR UPDATE" if lock else ""}
        """,
        [list(run_ids)],
    )
    runs = [leases.run_of(row[:-2]) for row in rows]
    steps, turned = _steps(runs), _turned_by(runs)
    now = leases.now()
    return [
        Case(
            run,
            lookup(run.kind, run.kind_version),
            steps[run.id],
            turned.get(run.id, (run.error_code, run.error_detail)),
            held=row[-1],
            now=now,
            choreographed=row[-2],
        )
        for run, row in zip(runs, rows, strict=True)
    ]


def _steps(runs: Iterable[Run]) -> Mapping[UUID, dict[tuple[int, str], str]]:
    found: dict[UUID, dict[tuple[int, str], str]] = defaultdict(dict)
    for run_id, position, direction, status in fetch_all(
        DATABASE,
        "SELECT run_id, position, direction, status FROM sagas_sagastep WHERE run_id = ANY(%s)",
        [[run.id for run in runs]],
    ):
        found[run_id][position, direction] = status
    return found


def _turned_by(runs: Iterable[Run]) -> dict[UUID, tuple[str, str]]:
    """What turned each of the runs back, by their logs: parking has overwritten it in the run."""
    turned = [run.id for run in runs if not run.forward]
    if not turned:
        return {}
    rows = fetch_all(
        DATABASE,
        """
        SELECT DISTINCT ON (run_id) run_id, code, detail FROM sagas_sagalogentry
        WHERE run_id = ANY(%s) AND event = 'compensating' ORDER BY run_id, id DESC
        """,
        [turned],
    )
    return {run_id: (code, detail) for run_id, code, detail in rows}


def _save(case: Case, change: Change, data: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Writes the change, which ends any lease, and what the engine itself never writes: ``data``,
    the compensations that are left, a deadline for a run that goes on beyond its first."""
    run = case.run
    goes_forward = run.forward and run.status == RunStatus.IN_PROGRESS
    seconds = case.saga.deadline if case.saga and goes_forward else None
    execute(
        DATABASE,
        """
        UPDATE sagas_sagarun SET compensations_left = %s::smallint[], data = data || %s::jsonb,
            deadline_at = CASE WHEN deadline_at < clock_timestamp() AND %s::float8 IS NOT NULL
                THEN clock_timestamp() + make_interval(secs => %s) ELSE deadline_at END
        WHERE id = %s
        """,
        [run.compensations_left, orjson.dumps(dict(data)).decode(), seconds, seconds, run.id],
    )
    store.save([change])


def _ask_to_turn(case: Case) -> None:
    """A live run turns at its next step, whoever holds it; the version stays its holder's."""
    run = case.run
    line = store.LogRecord(
        *(run.id, "staff_compensate", run.position, run.direction, run.attempt),
        *(run.error_code, case.words),
    )
    store.request_abort(run.id, STOPPED)
    store.log([line])


def _words(reason: str) -> str:
    """Who wants it, and why."""
    actor = current_actor()
    return storable(f"{actor.name}: {reason}" if actor else reason)


def _place(run: Run) -> dict[str, object]:
    """Where the run stands, for the audit log of staff."""
    return {
        "status": str(run.status),
        "step": run.step,
        "direction": "forward" if run.forward else "compensation",
    }
