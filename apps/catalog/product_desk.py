"""What a product's page shows beside its form: stock, prices, and where to look further."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from apps.catalog.engagement.desk import product_insights
from apps.catalog.enums import DATABASE
from apps.catalog.models import PriceChange, Product

MOST_PRICES = 10
MOST_TOGETHER = 5


def product_desk(request: HttpRequest, product: Product) -> dict[str, Any]:
    """The stock item, the latest prices (the newest first), the links that the person may follow,
    who looks at the product and what is bought with it; two queries, or three."""
    insights, together = product_insights(product_id=product.public_id, most=MOST_TOGETHER)
    page = reverse("admin:catalog_product_changelist")
    prices = PriceChange.objects.using(DATABASE).filter(product=product).order_by("-id")
    may = request.user.has_perm
    links = [
        ("Stock ledger", "catalog.view_stockledgerentry", "catalog_stockledgerentry"),
        ("Reservations", "catalog.view_reservation", "catalog_reservation"),
        ("All prices", "catalog.view_pricechange", "catalog_pricechange"),
    ]
    return {
        "product": product,
        "stock_item": getattr(product, "stock_item", None),
        "prices": prices[:MOST_PRICES] if may("catalog.view_pricechange") else (),
        "links": [
            (title, f"{reverse(f'admin:{page}_changelist')}?product__id__exact={product.pk}")
            for title, permission, page in links
            if may(permission)
        ],
        "insights": insights,
        "together": [(one, f"{page}?q={one.product_id}") for one in together.rows],
        "trash_link": reverse("admin:trash_one", args=["product", product.pk]),
    }
