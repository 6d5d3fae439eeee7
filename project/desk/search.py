"""The search box of the back office: orders, customers, products, shipments, sagas, pages.

A fixed number of queries, each with a limit, and only for what the person may see.
"""

from collections.abc import Iterator
from uuid import UUID

from django.contrib.admin import AdminSite
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from apps.catalog.models import Product
from apps.catalog.searching import matching
from apps.customers.models import User
from apps.orders.models import Order
from apps.sagas.models import SagaRun
from apps.shipping.models import Shipment

SHORTEST, LONGEST = 2, 100
MOST = 5  # of each kind
Result = dict[str, str]


def find(site: AdminSite, request: HttpRequest, term: str) -> list[Result]:
    """What ``term`` names, as ``{"title", "description", "link"}``, the most exact kinds first."""
    term = term.replace("\x00", "").strip()
    if not SHORTEST <= len(term) <= LONGEST:
        return []
    found = []
    for model, word, rows in _kinds(term):
        page = site.get_model_admin(model)
        if page.has_view_or_change_permission(request):
            found += [_result(row, word) for row in rows[:MOST]]
    return found


def _kinds(term: str) -> Iterator[tuple[type[Model], str, QuerySet]]:
    key = _uuid(term)
    people = Q(email__icontains=term) | Q(name__icontains=term)
    goods = matching(term)
    customers = User.all_objects.filter(Q(public_id=key) if key else people)
    products = Product.all_objects.filter(Q(public_id=key) if key else goods)
    runs = SagaRun.objects.filter(Q(pk=key) | Q(business_key=str(key)))
    yield Order, "Order", _orders(term, key)
    yield SagaRun, "Saga", runs.order_by("-created_at") if key else SagaRun.objects.none()
    yield Shipment, "Shipment", Shipment.objects.filter(tracking_number=term.upper())
    yield User, "Customer", customers.order_by("-pk")
    yield Product, "Product", products.order_by("name", "pk")


def _orders(term: str, key: UUID | None) -> QuerySet:
    """By id, reference, or the customer's id or e-mail address."""
    wanted = Q(external_reference=term)
    if key is not None:
        wanted |= Q(pk=key) | Q(customer_id=key)
    if "@" in term:
        owners = User.all_objects.filter(email=User.objects.normalize_email(term))
        wanted |= Q(customer_id__in=list(owners.values_list("public_id", flat=True)[:MOST]))
    return Order.objects.filter(wanted).order_by("-placed_at", "-id")


def _result(row: Model, word: str) -> Result:
    opts = row._meta
    gone = " (deleted)" if getattr(row, "deleted", None) else ""
    link = reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk])
    return {"title": f"{row}{gone}", "description": word, "link": link}


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None
