"""The cart over HTTP: a customer's own, or that of whoever has its token.

Nobody names a cart: it is found by who asks. A token that leads to no cart is as good as none.
"""

from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.common.correlation import current_request_id
from apps.common.errors import InvalidInput
from apps.common.rest.filters import refuse_unknown_parameters
from apps.common.rest.headers import idempotency_key, if_match_version
from apps.common.rest.permissions import LoggedIn, Public
from apps.common.rest.schema import IDEMPOTENCY_KEY, IF_MATCH, PREFER_WAIT, problem_response
from apps.common.rest.serializers import validated
from apps.common.rest.throttling import AnonymousThrottle
from apps.orders.cart import contracts, ordering, selectors, services, store
from apps.orders.cart.contracts import OrderCart, Owner
from apps.orders.rest.cart_serializers import (
    AddItemInput,
    CartOutput,
    CheckoutInput,
    Nothing,
    SetItemInput,
)
from apps.orders.rest.serializers import OrderPlacedOutput
from apps.orders.rest.views import address_of, answer_placed

TAGS = ["cart"]
ANYBODY = [{}, {"sessionToken": []}]
HEADER = "X-Cart-Token"
# Also a body that is not wanted is read.
BODY_PROBLEMS = {status: problem_response(status) for status in (413, 415)}
TOKEN = OpenApiParameter(
    name=HEADER,
    location=OpenApiParameter.HEADER,
    type={"type": "string", "pattern": r"^[A-Za-z0-9_-]{43}$"},
    description="Of a visitor who is not logged in: the token that the first change of the cart "
    "answered with.",
)
THE_TOKEN = OpenApiParameter(
    name=HEADER,
    location=OpenApiParameter.HEADER,
    required=True,
    type={"type": "string", "pattern": r"^[A-Za-z0-9_-]{43}$"},
    description="The token of the cart to take over.",
)
NEW_TOKEN = OpenApiParameter(
    name=HEADER,
    location=OpenApiParameter.HEADER,
    type={"type": "string"},
    response=[200],
    description="A visitor's new cart is found by this from now on; keep it secret.",
)


class NewCarts(AnonymousThrottle):
    """Counts the carts that visitors begin, by address."""

    scope = "new_cart"


def owner_of(request: Request) -> Owner | None:
    """Whose cart is meant; None for a visitor without a token."""
    bearer = _bearer(request) if HEADER in request.headers else None
    if request.user and request.user.is_authenticated:
        return Owner.customer(request.user.public_id)
    return bearer


def _bearer(request: Request) -> Owner:
    token = request.headers.get(HEADER, "")
    if not contracts.TOKEN.fullmatch(token):
        raise InvalidInput.field(HEADER, "invalid", "This is not a cart's token.")
    return Owner.bearer(token)


def _answer(cart: contracts.Cart | None, *, token: str = "") -> Response:
    view = selectors.cart_view(cart)
    headers = {"ETag": f'"{view.version}"', "Cache-Control": "private, no-store"}
    if token:
        headers[HEADER] = token
    return Response(CartOutput(view).data, headers=headers)


class Cart(APIView):
    permission_classes = (Public,)

    @extend_schema(
        operation_id="cart_get",
        tags=TAGS,
        auth=ANYBODY,
        summary="What is in my cart",
        parameters=[TOKEN],
        responses=CartOutput,
    )
    def get(self, request: Request) -> Response:
        refuse_unknown_parameters(request)
        owner = owner_of(request)
        return _answer(services.cart_get(owner) if owner else None)

    @extend_schema(
        operation_id="cart_clear",
        tags=TAGS,
        auth=ANYBODY,
        summary="Take everything out of my cart",
        parameters=[TOKEN, IF_MATCH],
        request=None,
        responses={204: None, **BODY_PROBLEMS},
    )
    def delete(self, request: Request) -> Response:
        refuse_unknown_parameters(request)
        version, owner = if_match_version(request), owner_of(request)
        validated(Nothing, request)
        if owner:
            services.cart_clear(owner, version=version)
        return Response(status=204)


class CartItem(APIView):
    permission_classes = (Public,)

    @extend_schema(
        operation_id="cart_set_item",
        tags=TAGS,
        auth=ANYBODY,
        summary="Have so many pieces of a product in my cart",
        description="A customer's cart holds its stock for a while: `held` says of how many pieces."
        " A visitor who is not logged in gets a token for the new cart in `X-Cart-Token`.",
        parameters=[TOKEN, NEW_TOKEN, IF_MATCH],
        request=SetItemInput,
        responses=CartOutput,
    )
    def put(self, request: Request, product_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        version, body = if_match_version(request), validated(SetItemInput, request)
        owner, token = self._owner_or_new(request)
        cart = services.line_set(owner, product_id, body["quantity"], version=version)
        return _answer(cart, token=token)

    @extend_schema(
        operation_id="cart_add_item",
        tags=TAGS,
        auth=ANYBODY,
        summary="Have some pieces more, or fewer, of a product in my cart",
        parameters=[TOKEN, NEW_TOKEN, IF_MATCH],
        request=AddItemInput,
        responses=CartOutput,
    )
    def patch(self, request: Request, product_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        version, body = if_match_version(request), validated(AddItemInput, request)
        owner, token = self._owner_or_new(request)
        cart = services.line_add(owner, product_id, body["add"], version=version)
        return _answer(cart, token=token if cart else "")

    @extend_schema(
        operation_id="cart_remove_item",
        tags=TAGS,
        auth=ANYBODY,
        summary="Take a product out of my cart",
        parameters=[TOKEN, IF_MATCH],
        request=None,
        responses={200: CartOutput, **BODY_PROBLEMS},
    )
    def delete(self, request: Request, product_id: UUID) -> Response:
        refuse_unknown_parameters(request)
        version, owner = if_match_version(request), owner_of(request)
        validated(Nothing, request)
        owner = owner or Owner.bearer(contracts.new_token())  # a visitor without a cart
        return _answer(services.line_remove(owner, product_id, version=version))

    def _owner_or_new(self, request: Request) -> tuple[Owner, str]:
        """Whose cart is meant, and the token where that is a new visitor's. Nobody brings a token
        of his own: what leads to no cart is answered with another one."""
        owner = owner_of(request)
        if owner and (owner.is_customer or store.load(owner)):
            return owner, ""
        limit = NewCarts()
        if not limit.allow_request(request, self):
            raise Throttled(limit.wait())
        token = contracts.new_token()
        return Owner.bearer(token), token


class Merge(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="cart_merge",
        tags=TAGS,
        summary="Take the cart over that I filled before I logged in",
        description="Its items are added to those of my cart, and its token is good for nothing "
        "any more.",
        parameters=[THE_TOKEN],
        request=None,
        responses={200: CartOutput, 404: problem_response(404)},
    )
    def post(self, request: Request) -> Response:
        refuse_unknown_parameters(request)
        validated(Nothing, request)
        return _answer(services.cart_merge(owner_of(request), _bearer(request)))


class Checkout(APIView):
    permission_classes = (LoggedIn,)

    @extend_schema(
        operation_id="cart_checkout",
        tags=TAGS,
        summary="Order what is in my cart",
        description="As `POST /orders` with the lines of the cart, at the present prices; what the "
        "cart holds is this order's. The cart is empty afterwards. With `If-Match` nothing is "
        "ordered but what you have seen.",
        parameters=[IDEMPOTENCY_KEY, PREFER_WAIT, IF_MATCH],
        request=CheckoutInput,
        responses={202: OrderPlacedOutput, 201: OrderPlacedOutput, 409: problem_response(409)},
    )
    def post(self, request: Request) -> Response:
        key, version = idempotency_key(request), if_match_version(request)
        body = validated(CheckoutInput, request)
        customer_id = request.user.public_id
        receipt = ordering.cart_order(
            OrderCart(
                principal=f"customer:{customer_id}",
                key=key,
                customer_id=customer_id,
                card_token=body["payment"]["card_token"] if "payment" in body else "",
                payment_method=body["payment_method"],
                address=address_of(body),
                correlation_id=current_request_id(),
                version=version,
            )
        )
        return answer_placed(request, receipt)
