"""Registers the pages about orders; they live in ``backoffice`` and ``audit``."""

from django.contrib import admin

from apps.orders.audit.admin import AuditRunAdmin
from apps.orders.backoffice.page import (
    OrderLinePage,
    OrderPage,
    OrderReturnLinePage,
    OrderReturnPage,
)
from apps.orders.models import Order, OrderLine, OrderReturn, OrderReturnLine

__all__ = [
    "AuditRunAdmin",
    "OrderLinePage",
    "OrderPage",
    "OrderReturnLinePage",
    "OrderReturnPage",
]

admin.site.register(Order, OrderPage)
admin.site.register(OrderLine, OrderLinePage)
admin.site.register(OrderReturn, OrderReturnPage)
admin.site.register(OrderReturnLine, OrderReturnLinePage)
