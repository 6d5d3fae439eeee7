"""The peers' one address, which is Holdfast's."""

from django.urls import path

from bench.reads.peers.views import OneProduct

urlpatterns = [path("api/v1/products/<uuid:public_id>", OneProduct.as_view())]
