"""Composes claimed mails: reads what is known in sets, writes down what is decided of each."""

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import orjson

from apps.common.databases import execute, fetch_all
from apps.notifications import composing
from apps.notifications.composing import Addressee, Composed, Ordered, Waiting, Wish, compose
from apps.notifications.enums import DATABASE, OPTIONAL, EmailState, Kind

LONGEST_WAIT = 60.0  # seconds between two looks for what a mail still needs
COLUMNS = (
    "id, event_id, kind, copy, customer_id, order_id, facts::text, occurred_at, created_at,"
    " clock_timestamp() - created_at, recipient, subject, context::text, attempts,"
    " correlation_id"
)


class Row(NamedTuple):
    """A claimed mail as it stands in the table: ``COLUMNS``."""

    id: int
    event_id: UUID
    kind: str
    copy: int
    customer_id: UUID
    order_id: UUID | None
    facts: str
    occurred_at: datetime
    created_at: datetime
    age: timedelta
    recipient: str
    subject: str
    context: str | None
    attempts: int
    correlation_id: str

    @property
    def wish(self) -> Wish:
        return Wish(
            kind=Kind(self.kind),
            customer_id=self.customer_id,
            order_id=self.order_id,
            facts=orjson.loads(self.facts),
            occurred_at=self.occurred_at,
            created_at=self.created_at,
            age=self.age,
            is_copy=self.copy > 0,
        )


def prepare(rows: list[Row]) -> dict[int, Composed]:
    """What is to be sent, by id: as it was composed before, or now and for good. Those that cannot
    or shall not be sent leave the queue or wait."""
    known = {
        row.id: Composed(row.recipient, row.subject, orjson.loads(row.context))
        for row in rows
        if row.context is not None
    }
    wishes = {row.id: row.wish for row in rows if row.id not in known}
    return known | _compose(wishes) if wishes else known


def _compose(wishes: dict[int, Wish]) -> dict[int, Composed]:
    customers = sorted({wish.customer_id for wish in wishes.values()})
    people, unwanted = _addressees(customers), _unwanted(customers)
    ordered = _ordered({wish.order_id for wish in wishes.values() if wish.order_id})
    verdicts = {
        key: compose(
            wish,
            people.get(wish.customer_id),
            ordered.get(wish.order_id),
            unwanted.get(wish.customer_id, frozenset()),
        )
        for key, wish in wishes.items()
    }
    composed = {key: one for key, one in verdicts.items() if isinstance(one, Composed)}
    _keep(composed)
    for kind, state in (
        (composing.Skipped, EmailState.SKIPPED),
        (composing.Failed, EmailState.FAILED),
    ):
        ended = {key: one.why for key, one in verdicts.items() if isinstance(one, kind)}
        if ended:
            end(list(ended), state, list(ended.values()))
    waiting = {key: one.why for key, one in verdicts.items() if isinstance(one, Waiting)}
    if waiting:
        _wait(waiting, {key: wishes[key].age for key in waiting})
    return composed


def _keep(composed: dict[int, Composed]) -> None:
    if not composed:
        return
    execute(
        DATABASE,
        """
        UPDATE notifications_email SET recipient = new.recipient, subject = new.subject,
            context = new.context
        FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::jsonb[])
            AS new(id, recipient, subject, context)
        WHERE notifications_email.id = new.id
        """,
        [
            list(composed),
            [one.recipient for one in composed.values()],
            [one.subject for one in composed.values()],
            [orjson.dumps(one.context).decode() for one in composed.values()],
        ],
    )


def _wait(why: dict[int, str], age: dict[int, timedelta]) -> None:
    """The longer it waited, the longer it waits: half its age, between a second and a minute."""
    seconds = [min(LONGEST_WAIT, max(1.0, age[key].total_seconds() / 2)) for key in why]
    execute(
        DATABASE,
        """
        UPDATE notifications_email SET state = 'pending', error = new.error, lease_token = NULL,
            next_attempt_at = clock_timestamp() + make_interval(secs => new.seconds)
        FROM unnest(%s::bigint[], %s::text[], %s::float[]) AS new(id, error, seconds)
        WHERE notifications_email.id = new.id
        """,
        [list(why), list(why.values()), seconds],
    )


def _addressees(customers: list[UUID]) -> dict[UUID, Addressee]:
    rows = fetch_all(
        DATABASE,
        "SELECT customer_id, email, name, gone FROM notifications_recipient"
        " WHERE customer_id = ANY(%s)",
        [customers],
    )
    return {row[0]: Addressee(*row[1:]) for row in rows}


def _unwanted(customers: list[UUID]) -> dict[UUID, frozenset[Kind]]:
    rows = fetch_all(
        DATABASE,
        f"SELECT customer_id, {', '.join(OPTIONAL)} FROM notifications_preference"
        " WHERE customer_id = ANY(%s)",
        [customers],
    )
    return {
        customer: frozenset(
            kind for kind, wanted in zip(OPTIONAL, wants, strict=True) if not wanted
        )
        for customer, *wants in rows
    }


def _ordered(order_ids: set[UUID]) -> dict[UUID | None, Ordered]:
    if not order_ids:
        return {}
    rows = fetch_all(
        DATABASE,
        "SELECT order_id, currency, goods_total::text, shipping_total::text, total::text,"
        " lines::text FROM notifications_orderfacts WHERE order_id = ANY(%s)",
        [sorted(order_ids)],
    )
    return {row[0]: Ordered(*row[1:5], orjson.loads(row[5])) for row in rows}


def end(ids: list[int], state: EmailState, errors: list[str]) -> None:
    """Takes mails out of the queue for good, each with its reason."""
    execute(
        DATABASE,
        """
        UPDATE notifications_email SET state = %s, error = new.error, lease_token = NULL
        FROM unnest(%s::bigint[], %s::text[]) AS new(id, error)
        WHERE notifications_email.id = new.id
        """,
        [state.value, ids, errors],
    )
