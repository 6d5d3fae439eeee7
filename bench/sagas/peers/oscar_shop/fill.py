"""Makes the peer's tables, products with plenty of stock and customers who are logged in; prints
their products' keys and sessions as JSON. ``python -m … PRODUCTS CUSTOMERS``."""

import json
import sys

import django

PRICE, STOCK = "20.00", 100_000_000


def fill(products: int, customers: int) -> dict[str, list]:
    """``products``: primary keys; ``sessions``: one for each customer."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    return {"products": _products(products), "sessions": [_session(n) for n in range(customers)]}


def _products(count: int) -> list[int]:
    from oscar.core.loading import get_model

    get_model("address", "Country").objects.create(
        iso_3166_1_a2="GB", iso_3166_1_a3="GBR", iso_3166_1_numeric="826",
        printable_name="United Kingdom", name="United Kingdom", is_shipping_country=True,
    )  # fmt: skip
    things = get_model("catalogue", "ProductClass").objects.create(name="Things", slug="things")
    partner = get_model("partner", "Partner").objects.create(name="Bench", code="bench")
    product, record = get_model("catalogue", "Product"), get_model("partner", "StockRecord")
    made = product.objects.bulk_create(
        product(product_class=things, title=f"BENCH-{n}", slug=f"bench-{n}", upc=f"BENCH-{n}")
        for n in range(count)
    )
    record.objects.bulk_create(
        record(
            product=one,
            partner=partner,
            partner_sku=one.upc,
            price_currency="GBP",
            price=PRICE,
            num_in_stock=STOCK,
        )
        for one in made
    )
    return [one.pk for one in made]


def _session(number: int) -> str:
    from django.contrib.auth import get_user_model
    from django.test import Client

    email = f"client-{number}@example.com"
    user = get_user_model().objects.create_user(email, email=email, password="bench-Weather-2718")
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies["sessionid"].value


if __name__ == "__main__":
    django.setup()
    print(json.dumps(fill(int(sys.argv[1]), int(sys.argv[2]))))
