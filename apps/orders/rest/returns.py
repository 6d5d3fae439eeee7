"""Returns over HTTP: customers ask, staff take back, refund and decide."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.correlation import current_request_id
from apps.common.errors import NotFound
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import idempotency_key
from apps.common.rest.pagination import paged
from apps.common.rest.permissions import LoggedIn, staff_with
from apps.common.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, problem_response
from apps.common.rest.serializers import validated
from apps.orders import facade, selectors
from apps.orders.contracts import (
    ApproveReturn,
    RefuseReturn,
    RequestReturn,
    ReturnAccepted,
    ReturnItems,
    ReturnLine,
)
from apps.orders.rest.filters import ReturnFilter
from apps.orders.rest.return_serializers import (
    ApproveReturnInput,
    RefuseReturnInput,
    RequestReturnInput,
    ReturnAcceptedOutput,
    ReturnItemsInput,
    ReturnOutput,
)
from apps.orders.rest.staff import decided_on

TAGS = ["staff returns"]
MAY_SEE = (staff_with("orders.view_orderreturn"),)
MAY_RETURN = (staff_with("orders.return_order"),)


def _lines(rows: Iterable[dict]) -> tuple[ReturnLine, ...]:
    return tuple(ReturnLine(**row) for row in rows)


def _accepted(answer: ReturnAccepted, status: int) -> Response:
    return Response(ReturnAcceptedOutput(answer).data, status=status)


class RequestReturnView(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="orders_request_return",
        tags=["orders"],
        summary="Ask to send back goods of one of my orders",
        description="Possible once the parcel has left. Staff decide; the order shows what became "
        "of it under `returns`.",
        parameters=[IDEMPOTENCY_KEY],
        request=RequestReturnInput,
        responses={201: ReturnAcceptedOutput, 409: problem_response(409)},
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        key = idempotency_key(request)
        body = validated(RequestReturnInput, request)
        customer_id = request.user.public_id
        answer = facade.request_return(
            RequestReturn(
                principal=f"customer:{customer_id}",
                key=key,
                order_id=order_id,
                customer_id=customer_id,
                reason=body["reason"],
                lines=_lines(body["lines"]),
                correlation_id=current_request_id(),
            )
        )
        return _accepted(answer, 201)


class StaffReturnItems(APIView):
    permission_classes = MAY_RETURN

    @extend_schema(
        operation_id="staff_orders_return",
        tags=TAGS,
        summary="Take goods of an order back, or refund an amount without goods",
        description="Answers 202: a saga refunds the payment, puts what is fit to be sold back on "
        "the shelf and completes the return; follow it by `saga_id`. Goods are refunded at the "
        "price they were sold for, with at most what is left of the captured money.",
        parameters=[IDEMPOTENCY_KEY, IF_MATCH],
        request=ReturnItemsInput,
        responses={202: ReturnAcceptedOutput, 409: problem_response(409)},
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        key = idempotency_key(request)
        body = validated(ReturnItemsInput, request)
        answer = facade.return_items(
            ReturnItems(
                principal=f"staff:{request.user.public_id}",
                key=key,
                order_id=order_id,
                reason=body["reason"],
                lines=_lines(body["lines"]),
                amount=body.get("amount"),
                version=decided_on(request, body),
                correlation_id=current_request_id(),
            )
        )
        return _accepted(answer, 202)


class StaffReturns(GenericAPIView):
    permission_classes = MAY_SEE
    filterset_class = ReturnFilter
    ordering = ("-created_at",)

    def get_queryset(self) -> QuerySet:
        return selectors.all_returns()

    @extend_schema(
        operation_id="staff_returns_list",
        tags=TAGS,
        summary="Everybody's returns, newest first",
        responses=ReturnOutput(many=True),
        filters=True,
    )
    def get(self, request: Request) -> Response:
        returns = self.filter_queryset(self.get_queryset())
        return paged(
            self, request, returns, lambda one: ReturnOutput(selectors.return_view(one)).data
        )


class StaffReturn(APIView):
    permission_classes = MAY_SEE

    @extend_schema(
        operation_id="staff_returns_get",
        tags=TAGS,
        summary="A return",
        responses=ReturnOutput,
    )
    def get(self, request: Request, return_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        one = selectors.all_returns().filter(pk=return_id).first()
        if one is None:
            raise NotFound()
        return Response(ReturnOutput(selectors.return_view(one)).data)


class ApproveReturnView(APIView):
    permission_classes = MAY_RETURN

    @extend_schema(
        operation_id="staff_returns_approve",
        tags=TAGS,
        summary="Take back what a customer asked to send back",
        parameters=[IDEMPOTENCY_KEY, IF_MATCH],
        request=ApproveReturnInput,
        responses={202: ReturnAcceptedOutput, 409: problem_response(409)},
    )
    def post(self, request: Request, return_id: UUID) -> Response:
        key = idempotency_key(request)
        body = validated(ApproveReturnInput, request)
        answer = facade.approve_return(
            ApproveReturn(
                principal=f"staff:{request.user.public_id}",
                key=key,
                return_id=return_id,
                damaged=tuple(body["damaged"]),
                version=decided_on(request, body),
                correlation_id=current_request_id(),
            )
        )
        return _accepted(answer, 202)


class RefuseReturnView(APIView):
    permission_classes = MAY_RETURN

    @extend_schema(
        operation_id="staff_returns_refuse",
        tags=TAGS,
        summary="Do not take back what a customer asked to send back",
        parameters=[IF_MATCH],
        request=RefuseReturnInput,
        responses={200: ReturnAcceptedOutput, 409: problem_response(409)},
    )
    def post(self, request: Request, return_id: UUID) -> Response:
        body = validated(RefuseReturnInput, request)
        answer = facade.refuse_return(
            RefuseReturn(return_id, body["reason"], decided_on(request, body))
        )
        return _accepted(answer, 200)
