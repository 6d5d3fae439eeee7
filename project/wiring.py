"""What lower rooms need to know of upper ones, registered once at start."""

from functools import partial

from django.urls import reverse
from django.utils.http import urlencode

from apps.caching.resources import register_resources
from apps.caching.write_behind import register_buffers, write_behind_drained
from apps.catalog import caches as catalog_caches
from apps.catalog import checkout as catalog_checkout
from apps.catalog import event_contracts as catalog_events
from apps.catalog import jobs as catalog_jobs
from apps.catalog import purging as catalog_purging
from apps.catalog.caching import audit as catalog_cache_audit
from apps.catalog.caching import consuming as catalog_cache
from apps.catalog.engagement import counting as engagement
from apps.catalog.engagement import jobs as engagement_jobs
from apps.catalog.feed import buffer as catalog_feed
from apps.common import references
from apps.customers import event_contracts as customer_events
from apps.customers import jobs as customers_jobs
from apps.customers import purging as customers_purging
from apps.eventlog import archiving
from apps.eventlog import links as event_links
from apps.messaging.contracts import register_contracts
from apps.messaging.groups import register_groups
from apps.notifications import intents as notification_intents
from apps.notifications import jobs as notification_jobs
from apps.orders import event_contracts as order_events
from apps.orders import reconciling
from apps.orders import references as orders
from apps.orders.audit import books, others
from apps.orders.audit import jobs as audit_jobs
from apps.orders.workflows import choreography as orders_checkout
from apps.orders.workflows.cancellation import CANCELLATION
from apps.orders.workflows.checkout import CHECKOUT
from apps.orders.workflows.dispatching import DISPATCH
from apps.orders.workflows.returning import RETURN
from apps.payments import checkout as payments_checkout
from apps.payments import event_contracts as payment_events
from apps.reporting import audit as reporting_audit
from apps.reporting import consumers as reporting_consumers
from apps.reporting import event_contracts as reporting_events
from apps.reporting import jobs as reporting_jobs
from apps.sagas import choreography, definition
from apps.sagas import event_contracts as saga_events
from apps.sagas.backoffice import links
from apps.scheduling import event_jobs
from apps.scheduling import facade as scheduling
from apps.scheduling import jobs as scheduling_jobs
from apps.shipping import checkout as shipping_checkout
from apps.shipping import event_contracts as shipment_events

JOBS = (
    catalog_jobs.expire_holds,
    catalog_jobs.purge_products,
    catalog_jobs.count_words,
    catalog_jobs.invalidate_pending,
    catalog_jobs.know_products,
    engagement_jobs.count_sales,
    customers_jobs.clear_sessions,
    customers_jobs.purge_customers,
    audit_jobs.run_audit,
    reconciling.reconcile,
    notification_jobs.forget_mails,
    scheduling_jobs.forget_records,
    event_jobs.reconcile_events,
    event_jobs.purge_events,
    event_jobs.make_event_partitions,
    reporting_jobs.send_heartbeat,
)
CONTRACTS = (  # every event that is published
    *catalog_events.CONTRACTS,
    *customer_events.CONTRACTS,
    *order_events.CONTRACTS,
    *payment_events.CONTRACTS,
    *reporting_events.CONTRACTS,
    *saga_events.CONTRACTS,
    *shipment_events.CONTRACTS,
)
GROUPS = (
    archiving.GROUP,
    catalog_cache.CACHE,
    notification_intents.GROUP,
    reporting_consumers.REPORTING,
    engagement.ENGAGEMENT,
)  # who consumes them
CHECKOUT_GROUPS = (  # the participants of a choreographed checkout
    payments_checkout.CHECKOUT,
    catalog_checkout.CHECKOUT,
    shipping_checkout.CHECKOUT,
    orders_checkout.CHECKOUT,
)
READ_MODEL_CHECKS = {
    "read_model_matches": partial(reporting_audit.read_model_matches, books.books_at_rest),
    "daily_sales_match": reporting_audit.daily_sales_match,
    "cache_matches": catalog_cache_audit.cache_matches,
    "write_behind_drained": write_behind_drained,
}
ORDER_PAGE = "admin:orders_order_change"
ORDER_SAGAS = (  # their business key is the order
    *(CHECKOUT.kind, CANCELLATION.kind, DISPATCH.kind),
    *(saga.kind for saga in payments_checkout.SAGAS),
)


def wire() -> None:
    """Registers sagas, jobs, events with their consumers, and who refers to whom; called when the
    apps are ready."""
    for saga in (CHECKOUT, CANCELLATION, DISPATCH, RETURN, *payments_checkout.SAGAS):
        definition.register(saga)
    for kind in ORDER_SAGAS:
        links.register(kind, ORDER_PAGE, "orders.view_order")
    links.register(RETURN.kind, ORDER_PAGE, "orders.view_order", lambda key, data: data["order_id"])
    event_links.register("order_id", "orders.view_order", _order_page)
    event_links.register("customer_id", "customers.view_user", _customer_search)
    for job in JOBS:
        scheduling.register(job)
    register_resources(catalog_caches.RESOURCES)
    register_buffers((catalog_feed.PRODUCTS,))
    register_contracts(CONTRACTS)
    for name, check in READ_MODEL_CHECKS.items():
        others.register(name, check)
    register_groups((*GROUPS, *CHECKOUT_GROUPS))
    choreography.register_overseer(CHECKOUT.kind, orders_checkout.oversee)
    references.register(catalog_purging.KIND, orders.products_ordered)
    references.register(customers_purging.KIND, orders.customers_with_orders)


def _order_page(order_id: str) -> str:
    return reverse(ORDER_PAGE, args=[order_id])


def _customer_search(customer_id: str) -> str:
    return f"{reverse('admin:customers_user_changelist')}?{urlencode({'q': customer_id})}"
