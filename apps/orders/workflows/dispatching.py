"""The dispatch saga: the parcel left the house, so its goods leave the stock.

Step 0 marks order and shipment in the transaction that starts the run; what follows cannot be
refused, only repeated until it is done.
"""

from uuid import UUID

from apps.orders.workflows import steps
from apps.sagas import facade as sagas
from apps.sagas.definition import Participant, Saga, Step, StepKind

KIND = "dispatch"

DISPATCH = Saga(
    kind=KIND,
    version=1,
    steps=(
        Step("dispatch_shipment", None, kind=StepKind.PIVOT),
        Step("sell_stock", Participant(steps.sell_stock), kind=StepKind.RETRIABLE),
    ),
)


def start_dispatch(order_id: UUID, *, correlation_id: str) -> UUID:
    """Starts it inside the caller's transaction; returns the run's id."""
    return sagas.start(
        kind=KIND,
        version=DISPATCH.version,
        business_key=str(order_id),
        correlation_id=correlation_id,
    )
