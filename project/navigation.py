"""The back office's sidebar: what the person may see, under the shop's own words."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse

from project.desk import views
from project.desk.trash import BINS

# Title, icon (Material Symbols), model.
Entry = tuple[str, str, str]

GROUPS: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "Sales",
        (
            ("Orders", "shopping_cart", "orders.Order"),
            ("Returns", "assignment_return", "orders.OrderReturn"),
            ("Payments", "payments", "payments.Payment"),
            ("Payment ledger", "receipt_long", "payments.PaymentEntry"),
            ("Money discrepancies", "currency_exchange", "payments.MoneyDiscrepancy"),
            ("Shipments", "local_shipping", "shipping.Shipment"),
            ("Sagas", "account_tree", "sagas.SagaRun"),
        ),
    ),
    (
        "Reports",
        (
            ("Order views", "list", "reporting.OrderView"),
            ("Daily sales", "bar_chart", "reporting.DailySales"),
            ("Read model", "sync", "reporting.Projection"),
            ("Rebuilds", "construction", "reporting.ProjectionRebuild"),
            ("Order view lines", "format_list_numbered", "reporting.OrderViewLine"),
            ("Order view refunds", "undo", "reporting.OrderViewRefund"),
            ("Customers' names", "badge", "reporting.CustomerName"),
            ("Products' names", "label", "reporting.ProductName"),
            ("Categories' names", "label_important", "reporting.CategoryName"),
        ),
    ),
    (
        "Catalogue",
        (
            ("Products", "inventory_2", "catalog.Product"),
            ("Categories", "category", "catalog.Category"),
            ("Price changes", "sell", "catalog.PriceChange"),
            ("Stock", "warehouse", "catalog.StockItem"),
            ("Reservations", "bookmark", "catalog.Reservation"),
            ("Stock ledger", "list_alt", "catalog.StockLedgerEntry"),
        ),
    ),
    (
        "People",
        (
            ("Customers and staff", "group", "customers.User"),
            ("Addresses", "home_pin", "customers.Address"),
            ("E-mails", "mail", "notifications.Email"),
            ("Mail preferences", "unsubscribe", "notifications.Preference"),
            ("Roles", "admin_panel_settings", "auth.Group"),
            ("Logins", "devices", "usersessions.UserSession"),
            ("E-mail addresses", "alternate_email", "account.EmailAddress"),
            ("Second factors", "phonelink_lock", "mfa.Authenticator"),
        ),
    ),
    (
        "System",
        (
            ("Audit runs", "fact_check", "orders.AuditRun"),
            ("Reconciler runs", "balance", "payments.ReconcilerRun"),
            ("Saga steps", "footprint", "sagas.SagaStep"),
            ("Saga log", "history", "sagas.SagaLogEntry"),
            ("Outbox", "outbox", "messaging.Outbox"),
            ("Relay leases", "send", "messaging.RelayLease"),
            ("Inbox", "inbox", "messaging.Inbox"),
            ("Dead letters", "mark_email_unread", "messaging.DeadLetter"),
            ("Delivery attempts", "sync_problem", "messaging.DeliveryAttempt"),
            ("Event log", "menu_book", "eventlog.LoggedEvent"),
            ("Groups' progress", "rule", "eventlog.GroupProgress"),
            ("Sweeps", "cleaning_services", "eventlog.Sweep"),
            ("Mail recipients", "contact_mail", "notifications.Recipient"),
            ("Orders for mails", "drafts", "notifications.OrderFacts"),
            ("Idempotency", "repeat_one", "messaging.IdempotencyRecord"),
            ("Pending invalidations", "auto_delete", "caching.Invalidation"),
            ("Sales to count", "calculate", "catalog.SaleNote"),
            ("Jobs", "event_repeat", "scheduling.ScheduledJob"),
            ("Job runs", "manage_history", "scheduling.JobRun"),
            ("Job alerts", "notification_important", "scheduling.JobAlert"),
            ("Beat schedule", "schedule", "django_celery_beat.PeriodicTask"),
            ("Staff changes", "edit_note", "messaging.StaffChange"),
            ("Staff actions", "history_edu", "admin.LogEntry"),
        ),
    ),
)


# Pages that are no model's: group, title, icon, name of the address, permission.
PAGES = (
    ("Catalogue", "Pending edits", "pending_actions", "admin:edits", "catalog.view_product"),
    ("Catalogue", "Refused edits", "rule_folder", "admin:edits_refused", "catalog.view_product"),
    ("System", "Caches", "memory", "admin:caches", "caching.view_invalidation"),
)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Groups of links; a page that is not registered or not permitted is left out."""
    groups = [
        {
            "title": title,
            "separator": True,
            "items": [
                *[link for entry in entries if (link := _link(request, entry))],
                *_pages(request, title),
            ],
        }
        for title, entries in GROUPS
    ]
    groups = [group for group in groups if group["items"]]
    if not groups:
        return []
    lists = {item["link"] for group in groups for item in group["items"]}
    return [_overview(groups), *views.menu(request, lists), *groups]


def _overview(groups: list[dict[str, Any]]) -> dict[str, Any]:
    links = [{"title": "Dashboard", "icon": "monitoring", "link": reverse("admin:index")}]
    models = (apps.get_model(one.model)._meta for one in BINS.values())
    pages = {reverse(f"admin:{one.app_label}_{one.model_name}_changelist") for one in models}
    if any(item["link"] in pages for group in groups for item in group["items"]):
        links.append({"title": "Trash", "icon": "delete", "link": reverse("admin:trash")})
    return {"title": "Overview", "items": links}


def _pages(request: HttpRequest, group: str) -> list[dict[str, Any]]:
    return [
        {"title": title, "icon": icon, "link": reverse(name)}
        for where, title, icon, name, permission in PAGES
        if where == group and request.user.has_perm(permission)
    ]


def _link(request: HttpRequest, entry: Entry) -> dict[str, Any] | None:
    title, icon, label = entry
    try:
        model = apps.get_model(label)
        page = admin.site.get_model_admin(model)
        link = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    except (LookupError, NotRegistered, NoReverseMatch):
        return None
    if not page.has_view_or_change_permission(request):
        return None
    return {"title": title, "icon": icon, "link": link}


def shop_links(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu below the shop's name."""
    return [
        {"title": "API documents", "icon": "api", "link": reverse("docs")},
        {"title": "API reference", "icon": "menu_book", "link": reverse("redoc")},
    ]


def account_links(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu below the person's name."""
    return [
        {"title": "Change password", "link": reverse("admin:password_change")},
        {"title": "Second factor", "link": reverse("admin:second_factor")},
    ]


def favicon(request: HttpRequest) -> str:
    """The shop's mark."""
    return static("holdfast/icon.svg")


def desk_styles(request: HttpRequest) -> str:
    """The looks of our own pages."""
    return static("holdfast/desk.css")
