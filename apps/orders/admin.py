"""Registers the pages about orders; they live in ``backoffice`` and ``audit``."""

from django.contrib import admin

from apps.orders.audit.admin import AuditRunAdmin
from apps.orders.backoffice.page import OrderLinePage, OrderPage
from apps.orders.models import Order, OrderLine

__all__ = ["AuditRunAdmin", "OrderLinePage", "OrderPage"]

admin.site.register(Order, OrderPage)
admin.site.register(OrderLine, OrderLinePage)
