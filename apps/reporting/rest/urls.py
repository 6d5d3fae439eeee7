from django.urls import path

from apps.reporting.rest import views

urlpatterns = [
    path("order-views", views.OrderViews.as_view(), name="order-views"),
    path("order-views/<uuid:order_id>", views.OrderViewDetail.as_view(), name="order-view"),
    path("sales/daily", views.DailySalesView.as_view(), name="daily-sales"),
]
