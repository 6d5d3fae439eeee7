"""One product, read through a cache, and its price, changed: as one writes it with DRF."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.reads.peers.models import Product


class CategoryOutput(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    slug = serializers.CharField()
    name = serializers.CharField()


class ProductOutput(serializers.Serializer):
    """The same answer as Holdfast's."""

    id = serializers.UUIDField(source="public_id")
    sku = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    attributes = serializers.JSONField()
    price = serializers.SerializerMethodField()
    category = CategoryOutput(allow_null=True)
    availability = serializers.SerializerMethodField()
    active = serializers.BooleanField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(source="deleted", allow_null=True)

    def get_price(self, product: Product) -> dict[str, str]:
        return {"amount": str(product.price), "currency": product.price_currency}

    def get_availability(self, product: Product) -> dict[str, Any]:
        left = product.stock_item.on_hand - product.stock_item.reserved
        return {"in_stock": left > 0, "quantity": left}


class PriceInput(serializers.Serializer):
    price = serializers.DictField(child=serializers.CharField())


def products() -> QuerySet[Product]:
    return Product.objects.filter(active=True, deleted=None).select_related(
        "category", "stock_item"
    )


class PlainProduct(APIView):
    """django-redis: the data of the answer under the product's id, deleted by a change."""

    def get(self, request: Request, public_id: UUID) -> Response:
        key = f"product:{public_id}"
        data = cache.get(key)
        if data is None:
            data = dict(ProductOutput(get_object_or_404(products(), public_id=public_id)).data)
            cache.set(key, data)
        return Response(data)

    def patch(self, request: Request, public_id: UUID) -> Response:
        product = changed(request, public_id)
        cache.delete(f"product:{public_id}")
        return Response(ProductOutput(product).data)


class CacheopsProduct(APIView):
    """django-cacheops: the query is cached, and forgotten by ``save``."""

    def get(self, request: Request, public_id: UUID) -> Response:
        return Response(ProductOutput(get_object_or_404(products(), public_id=public_id)).data)

    def patch(self, request: Request, public_id: UUID) -> Response:
        return Response(ProductOutput(changed(request, public_id)).data)


def changed(request: Request, public_id: UUID) -> Product:
    given = PriceInput(data=request.data)
    given.is_valid(raise_exception=True)
    product = get_object_or_404(products(), public_id=public_id)
    product.price = given.validated_data["price"]["amount"]
    product.version += 1
    product.save(update_fields=["price", "version"])
    return product


VIEWS = {"drf_redis": PlainProduct, "cacheops": CacheopsProduct}
OneProduct = VIEWS[settings.PEER]
