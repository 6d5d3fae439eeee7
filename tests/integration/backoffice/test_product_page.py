"""The product's page: stock, prices, where to look further, and the way back from deletion."""

from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.test import Client
from moneyed import Money

from apps.catalog import services
from apps.catalog.engagement import counting, recording
from apps.catalog.engagement.sales import Note
from apps.catalog.engagement.visitors import Visitor
from apps.catalog.models import Product
from apps.customers.models import User
from tests.integration.catalog.engagement.clean import forget_all
from tests.trade import Trade

pytestmark = pytest.mark.django_db(databases=list(settings.DATABASES))


@pytest.fixture
def mug() -> Product:
    Trade(skus=("MUG", "CUP"), stock=7)
    mug = Product.objects.get(sku="MUG")
    changes = {"price": Money("11.00", "GBP")}
    return services.product_change(product_pk=mug.pk, version=mug.version, changes=changes)


def page(product: Product) -> str:
    return f"/admin/catalog/product/{product.pk}/change/"


def test_stock_and_prices_are_told(staff, mug):
    shown = staff.get(page(mug))
    assert shown.context["stock_item"].available == 7
    prices = [(one.before, one.after) for one in shown.context["prices"]]
    assert prices == [
        (Money("9.50", "GBP"), Money("11.00", "GBP")),
        (None, Money("9.50", "GBP")),
    ]
    assert "£9.50 → <strong>£11.00</strong>" in shown.content.decode()


def test_the_links_lead_to_what_is_about_this_product(staff, mug):
    links = dict(staff.get(page(mug)).context["links"])
    counts = {title: staff.get(link).context["cl"].result_count for title, link in links.items()}
    assert counts == {"Stock ledger": 1, "Reservations": 0, "All prices": 2}


def test_a_deleted_product_leads_to_the_trash(staff, mug):
    link = f"/admin/trash/product/{mug.pk}/"
    assert link not in staff.get(page(mug)).content.decode()
    services.product_delete(product_pk=mug.pk)
    assert link in staff.get(page(mug)).content.decode()


def test_a_person_sees_prices_and_links_that_they_may_see(mug):
    user = User.objects.create_user(f"{uuid4()}@example.com", name="Clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_product"))
    client = Client()
    client.force_login(user)
    shown = client.get(page(mug))
    assert (shown.context["links"], list(shown.context["prices"])) == ([], [])


def test_pages_that_are_not_there(staff):
    assert staff.get("/admin/catalog/product/999999/change/").status_code == 302
    assert staff.get("/admin/catalog/product/add/").status_code == 200


def test_who_looks_and_what_is_bought_with_it(staff, mug):
    forget_all()
    cup = Product.objects.get(sku="CUP")
    recording.deliver([(str(mug.public_id), Visitor(given=one)) for one in ("ann", "ann", "ben")])
    lines = ((mug.public_id.hex, 3), (cup.public_id.hex, 1))
    day = int(counting.clock() // 86_400)
    counting.count([Note(str(uuid4()), day, 1, lines, True)], read=counting.clock())
    shown = staff.get(page(mug))
    insights = shown.context["insights"]
    assert (insights.views_today, insights.sold_today, insights.sold_week) == (3, 3, 3)
    assert insights.visitors == ((1, 2), (7, 2), (30, 2))
    [(other, link)] = shown.context["together"]
    assert (other.sku, other.count) == ("CUP", 1)
    assert staff.get(link).context["cl"].result_count == 1
    assert "<strong>1</strong> order<" in shown.content.decode()
