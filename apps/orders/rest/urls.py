from django.urls import path

from apps.orders.rest import cart, returns, staff, views

urlpatterns = [
    path("cart", cart.Cart.as_view(), name="cart"),
    path("cart/items/<uuid:product_id>", cart.CartItem.as_view(), name="cart-item"),
    path("cart/checkout", cart.Checkout.as_view(), name="cart-checkout"),
    path("cart/merge", cart.Merge.as_view(), name="cart-merge"),
    path("orders", views.Orders.as_view(), name="orders"),
    path("orders/<uuid:order_id>", views.Order.as_view(), name="order"),
    path("orders/<uuid:order_id>/cancel", views.CancelOrderView.as_view(), name="order-cancel"),
    path(
        "orders/<uuid:order_id>/returns",
        returns.RequestReturnView.as_view(),
        name="order-returns",
    ),
    path("sagas/<uuid:saga_id>", views.Saga.as_view(), name="saga"),
    path("staff/orders", staff.StaffOrders.as_view(), name="staff-orders"),
    path("staff/orders/<uuid:order_id>", staff.StaffOrder.as_view(), name="staff-order"),
    path("staff/orders/<uuid:order_id>/approve", staff.Approve.as_view(), name="staff-approve"),
    path("staff/orders/<uuid:order_id>/ship", staff.Ship.as_view(), name="staff-ship"),
    path("staff/orders/<uuid:order_id>/deliver", staff.Deliver.as_view(), name="staff-deliver"),
    path("staff/orders/<uuid:order_id>/cancel", staff.Cancel.as_view(), name="staff-cancel"),
    path(
        "staff/orders/<uuid:order_id>/returns",
        returns.StaffReturnItems.as_view(),
        name="staff-return-items",
    ),
    path("staff/returns", returns.StaffReturns.as_view(), name="staff-returns"),
    path("staff/returns/<uuid:return_id>", returns.StaffReturn.as_view(), name="staff-return"),
    path(
        "staff/returns/<uuid:return_id>/approve",
        returns.ApproveReturnView.as_view(),
        name="staff-return-approve",
    ),
    path(
        "staff/returns/<uuid:return_id>/refuse",
        returns.RefuseReturnView.as_view(),
        name="staff-return-refuse",
    ),
]
