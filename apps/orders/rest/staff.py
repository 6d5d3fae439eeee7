"""Orders for staff over HTTP: everybody's orders, and the commands that move them."""

from collections.abc import Callable
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.correlation import current_request_id
from apps.common.errors import InvalidInput, NotFound
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import idempotency_key, if_match_version
from apps.common.rest.pagination import paged
from apps.common.rest.permissions import staff_with
from apps.common.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, problem_response
from apps.common.rest.serializers import validated
from apps.orders import facade, selectors
from apps.orders.contracts import (
    ApproveOrder,
    CancelOrder,
    CommandAccepted,
    DeliverOrder,
    ShipOrder,
)
from apps.orders.rest.filters import StaffOrderFilter
from apps.orders.rest.serializers import (
    CancelOrderInput,
    CommandAcceptedOutput,
    MoveOrderInput,
    StaffOrderDetailOutput,
    StaffOrderOutput,
)

TAGS = ["staff orders"]
MAY_SEE = (staff_with("orders.view_order"),)
MAY_MOVE = (staff_with("orders.move_order"),)
MAY_APPROVE = (staff_with("orders.approve_order"),)


class StaffOrders(GenericAPIView):
    permission_classes = MAY_SEE
    filterset_class = StaffOrderFilter
    ordering = ("-placed_at",)

    def get_queryset(self) -> QuerySet:
        return selectors.all_orders()

    @extend_schema(
        operation_id="staff_orders_list",
        tags=TAGS,
        summary="Everybody's orders, newest first",
        responses=StaffOrderOutput(many=True),
        filters=True,
    )
    def get(self, request: Request) -> Response:
        orders = self.filter_queryset(self.get_queryset())
        return paged(
            self,
            request,
            orders,
            lambda order: StaffOrderOutput(selectors.order_view(order)).data,
        )


class StaffOrder(APIView):
    permission_classes = MAY_SEE

    @extend_schema(
        operation_id="staff_orders_get",
        tags=TAGS,
        summary="Any order, with all that happened to it",
        responses=StaffOrderDetailOutput,
    )
    def get(self, request: Request, order_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        order = selectors.all_orders().filter(pk=order_id).first()
        if order is None:
            raise NotFound()
        return Response(StaffOrderDetailOutput(selectors.order_detail(order)).data)


def decided_on(request: Request, body: dict) -> int:
    """The version that a member of staff looked at: in the body, or ``If-Match``."""
    version = body.get("version") or if_match_version(request)
    if version is None:
        raise InvalidInput.field("version", "required", "Say which version you decided on.")
    return version


def _accepted(answer: CommandAccepted) -> Response:
    data = {
        "id": answer.order_id,
        "status": answer.status,
        "version": answer.version,
        "saga_id": answer.saga_id,
    }
    return Response(CommandAcceptedOutput(data).data, status=202)


def _command(
    name: str,
    summary: str,
    permissions: tuple,
    command: Callable[[UUID, int, str], CommandAccepted],
) -> type[APIView]:
    """A view that carries out ``command(order_id, version, correlation_id)``."""

    class Command(APIView):
        permission_classes = permissions

        @extend_schema(
            operation_id=f"staff_orders_{name}",
            tags=TAGS,
            summary=summary,
            parameters=[IF_MATCH],
            request=MoveOrderInput,
            responses={202: CommandAcceptedOutput, 409: problem_response(409)},
        )
        def post(self, request: Request, order_id: UUID) -> Response:
            body = validated(MoveOrderInput, request)
            version = decided_on(request, body)
            return _accepted(command(order_id, version, current_request_id()))

    return Command


Ship = _command(
    "ship",
    "The parcel left the house",
    MAY_MOVE,
    lambda order_id, version, trace: facade.ship_order(ShipOrder(order_id, version, trace)),
)
Deliver = _command(
    "deliver",
    "The parcel arrived",
    MAY_MOVE,
    lambda order_id, version, trace: facade.deliver_order(DeliverOrder(order_id, version, trace)),
)
Approve = _command(
    "approve",
    "Let an order that is held for review go on",
    MAY_APPROVE,
    lambda order_id, version, trace: facade.approve_order(ApproveOrder(order_id, version, trace)),
)


class Cancel(APIView):
    permission_classes = MAY_MOVE

    @extend_schema(
        operation_id="staff_orders_cancel",
        tags=TAGS,
        summary="Cancel anybody's order",
        parameters=[IDEMPOTENCY_KEY, IF_MATCH],
        request=CancelOrderInput,
        responses={202: CommandAcceptedOutput, 409: problem_response(409)},
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        key = idempotency_key(request)
        body = validated(CancelOrderInput, request)
        return _accepted(
            facade.cancel_order(
                CancelOrder(
                    principal=f"staff:{request.user.public_id}",
                    key=key,
                    order_id=order_id,
                    reason=body["reason"],
                    version=decided_on(request, body),
                    correlation_id=current_request_id(),
                )
            )
        )
