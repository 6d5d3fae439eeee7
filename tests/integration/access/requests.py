"""Every request that there is: each address of the API and of the back office by each method.

What is sent would be accepted from somebody who may, wherever that takes a few words only.
"""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from apps.orders.models import Order
from tests.integration.access.matrix import Address
from tests.integration.api.addresses import NEEDED, all_addresses
from tests.integration.api.conftest import ADDRESS

PAGE = re.compile(r"admin/(\w+)/(\w+)/")
PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# Django's own answer to every address that is none.
CATCH_ALL = "admin/(?P<url>.*)$"
APP_INDEX = re.compile(r"admin/\^\(\?P<app_label>.*")


def api_requests() -> Iterator[Address]:
    """Below ``/api/v1/``; HEAD and OPTIONS follow GET."""
    for address in all_addresses():
        for method in sorted(address.methods - {"HEAD", "OPTIONS"}):
            yield method, str(address)


def admin_requests() -> Iterator[Address]:
    """Every page of the back office, looked at and posted to."""
    for route in sorted(set(_admin_routes(get_resolver().url_patterns, ""))):
        yield "GET", route
        yield "POST", route


def _admin_routes(patterns, prefix: str) -> Iterator[str]:
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _admin_routes(entry.url_patterns, route)
        elif isinstance(entry, URLPattern) and route.startswith("admin/") and route != CATCH_ALL:
            yield "admin/<app_label>/" if APP_INDEX.match(route) else route


def send(client: Client, address: Address, world: Any) -> Any:
    """The response to one request of somebody, who stays logged in."""
    cookies = client.cookies.copy()
    try:
        return _send(client, address, world)
    finally:
        client.cookies = cookies


def _send(client: Client, address: Address, world: Any) -> Any:
    method, route = address
    path = "/" + PARAMETER.sub(lambda found: str(_value(found[1], route, world)), route)
    if not route.startswith("api/"):
        return client.post(path, _form(route)) if method == "POST" else client.get(path)
    if method == "GET":
        return client.get(path + NEEDED.get(route, ""))
    headers = {"Idempotency-Key": str(uuid4())}
    if method != "POST" and (known := _if_match(address, world)):
        headers["If-Match"] = known
    body = json.dumps(_body(address, world))
    return client.generic(method, path, body, content_type="application/json", headers=headers)


def _value(name: str, route: str, world: Any) -> Any:
    """What stands for a parameter: something of the owner's, deleted where only that will do."""
    if route.startswith("api/"):
        known = world.shop.parameters
        if route.endswith(("/restore", "/purge")):
            known = known | {
                "public_id": world.gone["product"].public_id,
                "category_id": world.gone["category"].public_id,
            }
        return known[name]
    content = ContentType.objects.get_for_model(Order)
    plain = {
        "kind": "product",
        "pk": world.gone["product"].pk,
        "name": "ship",
        "action": "retry",
        "order_id": world.shop.order.pk,
        "return_id": world.shop.return_id,
        "content_type_id": content.pk,
        "app_label": "catalog",
    }
    if name in plain and "/deadletter/" not in route:
        return plain[name]
    page = PAGE.match(route)
    if page is None:
        return world.shop.order.pk  # of a link to the site
    model = f"{page[1]}.{page[2]}"
    if route.endswith("/restore/"):
        return world.gone["customer" if page[2] == "user" else page[2]].pk
    assert world.pages[model] is not None, f"no row of {model} to open its pages with"
    return world.pages[model].pk


def _form(route: str) -> dict[str, str]:
    return {"post": "yes"} if route.endswith("/delete/") else {}


def _body(address: Address, world: Any) -> dict[str, Any]:
    """What the method wants at the route."""
    method, route = address
    price = {"amount": "1.00", "currency": "GBP"}
    version = Order.objects.values_list("version", flat=True).get(pk=world.shop.order.pk)
    return {
        "PATCH api/v1/me": {"name": "Ann"},
        "PATCH api/v1/me/notification-preferences": {"order_shipped": False},
        "POST api/v1/me/addresses": ADDRESS,
        "PUT api/v1/me/addresses/<uuid:address_id>": ADDRESS,
        "PATCH api/v1/me/addresses/<uuid:address_id>": {"city": "Ely"},
        "PUT api/v1/cart/items/<uuid:product_id>": {"quantity": 1},
        "PATCH api/v1/cart/items/<uuid:product_id>": {"add": 1},
        "POST api/v1/cart/checkout": {
            "payment": {"card_token": "tok_approve"},
            "shipping_address": ADDRESS,
        },
        "POST api/v1/orders": world.shop.body(),
        "POST api/v1/orders/<uuid:order_id>/returns": {
            "lines": [{"position": 1, "quantity": 1}],
            "reason": "too small",
        },
        "POST api/v1/staff/orders/<uuid:order_id>/returns": {
            "lines": [{"position": 1, "quantity": 1}],
            "reason": "too small",
            "version": version,
        },
        "POST api/v1/staff/returns/<uuid:return_id>/approve": {"version": 1},
        "POST api/v1/staff/returns/<uuid:return_id>/refuse": {"reason": "worn", "version": 1},
        "POST api/v1/products": {"sku": "NEW", "name": "New", "price": price},
        "POST api/v1/products/bulk": {"items": [{"sku": "NEW", "name": "New", "price": price}]},
        "POST api/v1/catalog/feed": [{"sku": "NEW", "price": price}],
        "PATCH api/v1/products/<uuid:public_id>": {"name": "New"},
        "POST api/v1/products/<uuid:public_id>/stock-adjustments": {"delta": 1, "reason": "a"},
        "POST api/v1/categories": {"name": "New"},
        "PATCH api/v1/categories/<uuid:category_id>": {"name": "New"},
    }.get(f"{method} {route}") or ({"version": version} if "/staff/orders/" in route else {})


def _if_match(address: Address, world: Any) -> str:
    """The version that the one who sends it has read."""
    route = address[1]
    if "address_id" in route:
        return f'"{world.pages["customers.address"].version}"'
    if "public_id" in route:
        return f'"{world.pages["catalog.product"].version}"'
    if "category_id" in route:
        return f'"{world.pages["catalog.category"].version}"'
    return ""
