"""What lower rooms need to know of upper ones, registered once at start."""

from apps.orders.workflows.cancellation import CANCELLATION
from apps.orders.workflows.checkout import CHECKOUT
from apps.orders.workflows.dispatching import DISPATCH
from apps.sagas import definition


def wire() -> None:
    """Registers the sagas; called when the apps are ready."""
    for saga in (CHECKOUT, CANCELLATION, DISPATCH):
        definition.register(saga)
