"""What is told of customers, in the transaction that changed their rows and while it locks them.

What they are now is read back in one query, whatever way they were written. A purge tells nothing:
whom it removes was told to be deleted.
"""

from collections.abc import Sequence

from apps.common.correlation import current_request_id
from apps.common.databases import fetch_all
from apps.customers.enums import DATABASE
from apps.customers.event_contracts import (
    CUSTOMER_CREATED,
    CUSTOMER_DELETED,
    CUSTOMER_RESTORED,
    CUSTOMER_UPDATED,
    CustomerCreated,
    CustomerDeleted,
    CustomerState,
)
from apps.messaging.contracts import EventContract
from apps.messaging.outbox import Event, append

# The columns in a CustomerState besides who it is.
TOLD = frozenset({"email", "name", "is_active", "is_staff", "buys_on_account"})
CUSTOMERS = """
    SELECT version, public_id, email, name, is_active, is_staff, buys_on_account
    FROM customers_user WHERE id = ANY(%s::bigint[]) ORDER BY id
"""


def customers_created(pks: Sequence[int], *, signed_up: bool = False) -> None:
    """``customer.created`` of each, by primary key; ``signed_up`` if they did it themselves."""
    if pks:
        rows = fetch_all(DATABASE, CUSTOMERS, [list(pks)])
        told = [(version, CustomerCreated(*row, signed_up)) for version, *row in rows]
        _append(CUSTOMER_CREATED, told)


def customer_updated(pk: int) -> None:
    _append(CUSTOMER_UPDATED, _states(pk))


def customer_restored(pk: int) -> None:
    _append(CUSTOMER_RESTORED, _states(pk))


def customer_deleted(pk: int) -> None:
    told = [
        (version, CustomerDeleted(one.customer_id, one.email, one.name))
        for version, one in _states(pk)
    ]
    _append(CUSTOMER_DELETED, told)


def _states(pk: int) -> list[tuple[int, CustomerState]]:
    rows = fetch_all(DATABASE, CUSTOMERS, [[pk]])
    return [(version, CustomerState(*row)) for version, *row in rows]


def _append(
    contract: EventContract,
    told: Sequence[tuple[int, CustomerCreated | CustomerState | CustomerDeleted]],
) -> None:
    cause = current_request_id()
    append(
        DATABASE,
        [Event(contract, state.customer_id, version, state, cause) for version, state in told],
    )
