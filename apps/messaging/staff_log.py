"""The audit log of staff: who changed what, from what to what, in the change's own transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from apps.common.actor import current_actor
from apps.common.correlation import current_request_id
from apps.common.databases import execute, require_atomic


def staff_change(
    alias: str,
    *,
    subject: str,
    subject_id: object,
    action: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Notes a change that the current member of staff makes inside the transaction on ``alias``.

    ``before`` and ``after`` hold the changed values only (JSON; dates, decimals and ids become
    strings). Does nothing where no member of staff is at work.
    """
    actor = current_actor()
    if actor is None:
        return
    require_atomic(alias)
    execute(
        alias,
        """
        INSERT INTO messaging_staffchange
            (actor_id, actor_name, action, subject, subject_id, before, after, request_id)
        VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s::jsonb, %s)
        """,
        [
            *(actor.id, actor.name, action, subject, str(subject_id)),
            *(_json(before), _json(after), current_request_id()),
        ],
    )


# Action, subject id, before and after of one change.
Note = tuple[str, object, Mapping[str, Any] | None, Mapping[str, Any] | None]


def staff_changes(alias: str, *, subject: str, notes: Sequence[Note]) -> None:
    """As ``staff_change``, for many changes of the same kind of thing in one statement."""
    actor = current_actor()
    if actor is None or not notes:
        return
    require_atomic(alias)
    execute(
        alias,
        """
        INSERT INTO messaging_staffchange
            (actor_id, actor_name, subject, request_id, action, subject_id, before, after)
        SELECT %s, %s, %s, %s, *
        FROM unnest(%s::text[], %s::text[], %s::jsonb[], %s::jsonb[])
        """,
        [
            *(actor.id, actor.name, subject, current_request_id()),
            [action for action, *_ in notes],
            [str(subject_id) for _, subject_id, *_ in notes],
            [_json(before) for *_, before, _ in notes],
            [_json(after) for *_, after in notes],
        ],
    )


def differing(
    before: Mapping[str, Any], after: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parts of both that are not the same."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}


def _json(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else orjson.dumps(dict(values), default=str).decode()
