"""A shop with one row of every kind, and somebody of every sort who comes to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client

from apps.catalog import categories, services
from apps.catalog.models import Category, Product, StockItem
from apps.customers import addresses
from apps.customers.contracts import Address
from apps.customers.models import Address as AddressRow
from apps.customers.models import User
from apps.orders.models import Order
from apps.shipping.models import Shipment
from tests.integration.access.matrix import PEOPLE
from tests.integration.api.conftest import ADDRESS, Shop, a_shop
from tests.integration.backoffice import rows
from tests.integration.catalog import shop

__all__ = ["a_shop"]


@dataclass
class World:
    """``shop``: the owner's; ``gone`` are deleted things by kind, ``pages`` rows by model."""

    shop: Shop
    gone: dict[str, Any]
    pages: dict[str, Any]

    def person(self, name: str) -> Client:
        """A browser and API client of ``name``; what breaks is answered, not raised."""
        client = Client(raise_request_exception=False)
        if name == "anonymous":
            return client
        client.force_login(self.shop.user if name == "owner" else _new_user(name))
        client.defaults["HTTP_X_SESSION_TOKEN"] = client.session.session_key
        return client


def _new_user(name: str) -> User:
    email = f"{name}@example.com"
    if name == "superuser":
        return User.objects.create_superuser(email=email, name=name)
    user = User.objects.create_user(email, name=name, is_staff=name != "other")
    if name != "other":
        user.groups.add(Group.objects.get(name=PEOPLE[name]))
    return user


@pytest.fixture
def world(a_shop) -> Iterator[World]:
    for fill in (
        rows.machinery,
        rows.logins,
        rows.schedules,
        rows.trade,
        rows.mails,
        rows.read_model,
        rows.remains,
    ):
        fill(1)
    # As far as its checkout would take it with a gateway, which no transaction may call.
    ready = {"status": "confirmed", "payment_status": "captured"}
    Order.objects.filter(pk=a_shop.order.pk).update(**ready, fulfillment_status="scheduled")
    Shipment.objects.create(id=uuid4(), order_id=a_shop.order.pk, tracking_number="HF1")
    gone = Product.objects.get(public_id=shop.product())
    services.product_delete(product_pk=gone.pk)
    shelf = categories.category_create(name="Gone", slug="gone", parent_id=None)
    categories.category_delete(category_id=shelf.pk)
    home = addresses.address_create(user_id=a_shop.user.pk, address=Address(**ADDRESS))
    addresses.address_delete(address_id=home.pk)
    leaver = User.objects.create_user(f"{uuid4()}@example.com", name="Leaver")
    leaver.delete()
    yield World(
        a_shop,
        gone={
            "product": gone,
            "category": Category.all_objects.get(pk=shelf.pk),
            "address": AddressRow.all_objects.get(public_id=home.public_id),
            "customer": leaver,
        },
        pages=_first_rows(a_shop),
    )


def _first_rows(a_shop: Shop) -> dict[str, Any]:
    """A row of each model: the owner's own where it has one."""
    product = Product.objects.get(public_id=a_shop.product_id)
    return {
        **{
            model._meta.label_lower: rows.newest(model)
            for model in apps.get_models()
            if admin.site.is_registered(model)
        },
        "customers.user": a_shop.user,
        "customers.address": AddressRow.objects.get(public_id=a_shop.address_id),
        "catalog.product": product,
        "catalog.category": product.category,
        "catalog.stockitem": StockItem.objects.get(product=product),
        "orders.order": a_shop.order,
    }
