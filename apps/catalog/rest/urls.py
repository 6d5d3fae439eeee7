"""Addresses of the catalogue below ``/api/v1/``."""

from django.urls import path

from apps.catalog.rest.views import ProductDetail, ProductList

urlpatterns = [
    path("products", ProductList.as_view(), name="products"),
    path("products/<uuid:public_id>", ProductDetail.as_view(), name="product"),
]
