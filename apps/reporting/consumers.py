"""Whose events the read model is made of."""

from apps.messaging.groups import ConsumerGroup
from apps.reporting.enums import DATABASE, GROUP
from apps.reporting.projecting.applying import project

REPORTING = ConsumerGroup(
    name=GROUP,
    alias=DATABASE,
    topics=(
        *("order.*", "payment.*", "shipment.*", "checkout.timed_out"),
        *("customer.*", "product.*", "category.*", "reporting.*"),
    ),
    handle=project,
)
