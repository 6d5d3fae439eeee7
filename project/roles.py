"""The roles that a shop has from the start: who may see and do what, in admin and API alike.

``manage.py sync_roles`` and every migration bring the groups of these names up to this list, and
leave what a shop has added by hand. To give somebody less, make a group of your own.
"""

from apps.customers.roles import Role


def _of(app: str, *codenames: str) -> frozenset[str]:
    return frozenset(f"{app}.{codename}" for codename in codenames)


def _views(app: str, *models: str) -> frozenset[str]:
    return _of(app, *(f"view_{model}" for model in models))


# --- what belongs together ---------------------------------------------------------------------
SEE_GOODS = _views(
    "catalog", "product", "category", "pricechange", "stockitem", "reservation"
) | _views("reporting", "productname", "categoryname")
SEE_STOCK_BOOKS = _views("catalog", "stockledgerentry")
SEE_ORDERS = (
    _views("orders", "order", "orderline", "orderreturn", "orderreturnline")
    | _views("shipping", "shipment")
    | _views("reporting", "orderview", "orderviewline", "orderviewrefund")
    | _views("sagas", "sagarun", "sagastep", "sagalogentry")
)
SEE_MONEY = _views("payments", "payment", "paymententry", "moneydiscrepancy", "reconcilerrun")
SEE_PEOPLE = _views("customers", "user", "address") | _views("reporting", "customername")
SEE_SALES = _views("reporting", "dailysales")
SEE_MAILS = _views("notifications", "email", "preference", "recipient", "orderfacts")
SEE_LOGINS = _views("account", "emailaddress") | _views("usersessions", "usersession")
SEE_PROOF = (
    _views("orders", "auditrun")
    | _views("scheduling", "scheduledjob", "jobrun", "jobalert")
    | _views("reporting", "projection", "projectionrebuild")
)
SEE_STAFF_CHANGES = _views("messaging", "staffchange")
SEE_MESSAGES = _views(
    "messaging",
    *("outbox", "relaylease", "inbox", "deadletter", "deliveryattempt", "idempotencyrecord"),
) | _views("eventlog", "loggedevent", "groupprogress", "sweep")
SEE_CACHES = _views("caching", "invalidation") | _views("catalog", "salenote")
SCHEDULE = frozenset(
    f"django_celery_beat.{verb}_{model}"
    for verb in ("view", "add", "change", "delete")
    for model in ("periodictask", "intervalschedule", "crontabschedule")
)

# --- the roles ---------------------------------------------------------------------------------
READ_ONLY = Role(
    "Read-only",
    "Sees goods, orders, money, customers and the audits; changes nothing.",
    SEE_GOODS
    | SEE_STOCK_BOOKS
    | SEE_ORDERS
    | SEE_MONEY
    | SEE_SALES
    | SEE_PEOPLE
    | SEE_MAILS
    | SEE_PROOF,
)
SUPPORT = Role(
    "Support",
    "Helps customers: accounts, addresses, logins, mails, and orders to be cancelled or returned.",
    SEE_GOODS
    | SEE_ORDERS
    | SEE_MONEY
    | SEE_PEOPLE
    | SEE_MAILS
    | _of("notifications", "resend_email")
    | SEE_LOGINS
    | _of("customers", "add_user", "change_user", "delete_user")
    | _of("customers", "add_address", "change_address", "delete_address")
    | _of("usersessions", "delete_usersession")
    | _of("orders", "move_order", "return_order"),
)
CATALOGUE = Role(
    "Catalogue",
    "Keeps products, prices and categories; removes and restores them, but not for good.",
    SEE_GOODS
    | _of("catalog", "add_product", "change_product", "delete_product", "restore_product")
    | _of("catalog", "send_feed")
    | _of("catalog", "add_category", "change_category", "delete_category", "restore_category"),
)
WAREHOUSE = Role(
    "Warehouse",
    "Ships and delivers orders, and corrects what is counted on the shelves.",
    SEE_GOODS
    | SEE_STOCK_BOOKS
    | SEE_ORDERS
    | _of("catalog", "adjust_stock")
    | _of("orders", "move_order"),
)
FINANCE = Role(
    "Finance",
    "Sees money, orders, audits and what staff changed; approves orders held for review, resolves"
    " money discrepancies.",
    SEE_GOODS
    | SEE_STOCK_BOOKS
    | SEE_ORDERS
    | SEE_MONEY
    | SEE_SALES
    | SEE_PEOPLE
    | SEE_PROOF
    | SEE_STAFF_CHANGES
    | _of("payments", "resolve_discrepancy")
    | _of("orders", "approve_order", "return_order"),
)
_EVERYBODY = (READ_ONLY, SUPPORT, CATALOGUE, WAREHOUSE, FINANCE)
MANAGER = Role(
    "Manager",
    "Everything the others may, staff accounts, jobs and their schedule, the repair of sagas, and"
    " removing for good.",
    frozenset().union(*(role.permissions for role in _EVERYBODY))
    | SEE_MESSAGES
    | SEE_CACHES
    | SCHEDULE
    | _views("admin", "logentry")
    | _views("auth", "group")
    | _of("catalog", "purge_product", "purge_category")
    | _of("customers", "purge_user", "grant_account")
    | _of("customers", "manage_staff")
    | _of("scheduling", "run_job")
    | _of("sagas", "repair_run")
    | _of("messaging", "redrive_deadletter"),
)
ROLES = (*_EVERYBODY, MANAGER)
