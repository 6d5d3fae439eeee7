"""A customer's orders over HTTP. Somebody else's order or saga is as good as none: 404."""

from uuid import UUID

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.correlation import current_request_id
from apps.common.errors import NotFound
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import idempotency_key, prefer_wait
from apps.common.rest.pagination import paged
from apps.common.rest.permissions import LoggedIn
from apps.common.rest.schema import IDEMPOTENCY_KEY, PREFER_WAIT, problem_response
from apps.common.rest.serializers import validated
from apps.customers import facade as customers
from apps.customers.contracts import Address
from apps.orders import facade, selectors
from apps.orders.contracts import CancelOrder, OrderLine, OrderPlaced, OrderView, PlaceOrder
from apps.orders.rest.filters import OrderFilter
from apps.orders.rest.serializers import (
    CancelOrderInput,
    CommandAcceptedOutput,
    OrderDetailOutput,
    OrderOutput,
    OrderPlacedOutput,
    PlaceOrderInput,
    SagaOutput,
)
from apps.orders.rest.waiting import wait_for_end

OPEN_SOURCES = frozenset({"order", "payment", "shipment"})  # what a customer's timeline tells of


class Orders(GenericAPIView):
    permission_classes = (LoggedIn,)
    filterset_class = OrderFilter
    ordering = ("-placed_at",)

    def get_queryset(self) -> QuerySet:
        # The schema is made by nobody in particular.
        return selectors.orders_of(getattr(self.request.user, "public_id", None))

    @extend_schema(
        operation_id="orders_list",
        tags=["orders"],
        summary="My orders, newest first",
        responses=OrderOutput(many=True),
        filters=True,
    )
    def get(self, request: Request) -> Response:
        orders = self.filter_queryset(self.get_queryset())
        return paged(
            self,
            request,
            orders,
            lambda order: OrderOutput(selectors.order_view(order)).data,
        )

    @extend_schema(
        operation_id="orders_place",
        tags=["orders"],
        summary="Place an order",
        description="Answers 202 at once: the order is accepted for good, and its saga authorizes "
        "the payment, reserves the stock, schedules the shipment, captures and confirms – or "
        "undoes all of it. With `Prefer: wait=N` it answers 201 with the final state if the saga "
        "ends in time.",
        parameters=[IDEMPOTENCY_KEY, PREFER_WAIT],
        request=PlaceOrderInput,
        responses={202: OrderPlacedOutput, 201: OrderPlacedOutput},
    )
    def post(self, request: Request) -> Response:
        key = idempotency_key(request)
        body = validated(PlaceOrderInput, request)
        customer_id = request.user.public_id
        receipt = facade.place_order(
            PlaceOrder(
                principal=f"customer:{customer_id}",
                key=key,
                customer_id=customer_id,
                lines=tuple(OrderLine(**line) for line in body["lines"]),
                card_token=body["payment"]["card_token"] if "payment" in body else "",
                payment_method=body["payment_method"],
                address=address_of(body),
                correlation_id=current_request_id(),
            )
        )
        return answer_placed(request, receipt)


def answer_placed(request: Request, receipt: OrderPlaced) -> Response:
    """The receipt: 201 with the final state if the caller prefers to wait and the saga ends in
    time, else 202."""
    seconds = prefer_wait(request)
    if seconds and wait_for_end(receipt.saga_id, seconds):
        order = facade.get_order(receipt.order_id)
        return _receipt(receipt, order, status=201)
    return _receipt(receipt, None, status=202)


def address_of(body: dict) -> Address | UUID:
    """Where the order goes, or the id of one of the customer's addresses."""
    if "address_id" in body:
        return body["address_id"]
    return customers.check_address(Address(**body["shipping_address"]), "shipping_address.")


def _receipt(receipt: OrderPlaced, order: OrderView | None, *, status: int) -> Response:
    order_path = reverse("order", args=[receipt.order_id])
    data = {
        "id": receipt.order_id,
        "saga_id": receipt.saga_id,
        "status": order.status if order else receipt.status,
        "version": order.version if order else receipt.version,
        "total": receipt.total,
        "placed_at": receipt.placed_at,
        "links": {"order": order_path, "saga": reverse("saga", args=[receipt.saga_id])},
    }
    return Response(data, status=status, headers={"Location": order_path})


class Order(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="orders_get",
        tags=["orders"],
        summary="One of my orders, with its money, its parcel and what happened to it",
        responses=OrderDetailOutput,
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        order = selectors.orders_of(request.user.public_id).filter(pk=order_id).first()
        if order is None:
            raise NotFound()
        detail = selectors.order_detail(order)
        detail["timeline"] = [one for one in detail["timeline"] if one.source in OPEN_SOURCES]
        return Response(OrderDetailOutput(detail).data)


class CancelOrderView(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="orders_cancel",
        tags=["orders"],
        summary="Cancel one of my orders",
        description="Possible until the parcel leaves. Payment, stock and shipment are undone by "
        "a saga; follow it by `saga_id`.",
        parameters=[IDEMPOTENCY_KEY],
        request=CancelOrderInput,
        responses={202: CommandAcceptedOutput, 409: problem_response(409)},
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        key = idempotency_key(request)
        body = validated(CancelOrderInput, request)
        customer_id = request.user.public_id
        accepted = facade.cancel_order(
            CancelOrder(
                principal=f"customer:{customer_id}",
                key=key,
                order_id=order_id,
                reason=body["reason"],
                customer_id=customer_id,
                version=body.get("version"),
                correlation_id=current_request_id(),
            )
        )
        data = {
            "id": accepted.order_id,
            "status": accepted.status,
            "version": accepted.version,
            "saga_id": accepted.saga_id,
        }
        return Response(CommandAcceptedOutput(data).data, status=202)


class Saga(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="sagas_get",
        tags=["sagas"],
        summary="How far the work behind one of my orders is",
        responses=SagaOutput,
    )
    def get(self, request: Request, saga_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        run = facade.get_saga(saga_id, customer_id=request.user.public_id)
        if run is None:
            raise NotFound()
        return Response(SagaOutput(run).data)
