from django.urls import path

from apps.orders.rest import views

urlpatterns = [
    path("orders", views.Orders.as_view(), name="orders"),
    path("orders/<uuid:order_id>", views.Order.as_view(), name="order"),
    path("orders/<uuid:order_id>/cancel", views.CancelOrderView.as_view(), name="order-cancel"),
    path("sagas/<uuid:saga_id>", views.Saga.as_view(), name="saga"),
]
