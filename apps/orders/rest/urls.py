from django.urls import path

from apps.orders.rest import staff, views

urlpatterns = [
    path("orders", views.Orders.as_view(), name="orders"),
    path("orders/<uuid:order_id>", views.Order.as_view(), name="order"),
    path("orders/<uuid:order_id>/cancel", views.CancelOrderView.as_view(), name="order-cancel"),
    path("sagas/<uuid:saga_id>", views.Saga.as_view(), name="saga"),
    path("staff/orders", staff.StaffOrders.as_view(), name="staff-orders"),
    path("staff/orders/<uuid:order_id>", staff.StaffOrder.as_view(), name="staff-order"),
    path("staff/orders/<uuid:order_id>/approve", staff.Approve.as_view(), name="staff-approve"),
    path("staff/orders/<uuid:order_id>/ship", staff.Ship.as_view(), name="staff-ship"),
    path("staff/orders/<uuid:order_id>/deliver", staff.Deliver.as_view(), name="staff-deliver"),
    path("staff/orders/<uuid:order_id>/cancel", staff.Cancel.as_view(), name="staff-cancel"),
]
