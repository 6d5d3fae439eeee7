"""How the API presents itself: the document's title, tags and examples."""

from apps.common.rest.examples import add_examples

DESCRIPTION = """\
A shop that keeps its promises across databases.

Log in under *account* and send the session token as `X-Session-Token`. Errors are problem documents
(RFC 9457) with a stable `code`; those of the account addresses have allauth's own form. Commands
take an `Idempotency-Key`: sent again with the same key they have no second effect.

Nothing is taken from `/api/v1` without notice: what is to go is marked `deprecated` here, answers
with a `Deprecation` header (RFC 9745) and stays for at least six months. New fields, new optional
parameters and new codes of errors may come at any time: ignore what you do not know.
"""
TAGS = [
    {"name": "account", "description": "Signing up, logging in, passwords: `/_allauth/`."},
    {"name": "me", "description": "The customer who is logged in."},
    {"name": "products", "description": "What can be bought."},
    {"name": "shop window", "description": "What others look at and buy."},
    {"name": "search", "description": "Finding what can be bought."},
    {"name": "categories", "description": "How what can be bought is sorted."},
    {"name": "cart", "description": "What a visitor or customer is about to order."},
    {"name": "orders", "description": "Placing, following and cancelling orders."},
    {
        "name": "order views",
        "description": "Orders and sales from the read model, which follows them by events.",
    },
    {"name": "sagas", "description": "How far the work behind an order is."},
    {"name": "stock", "description": "For staff: how many there are, and why."},
    {"name": "staff orders", "description": "For staff: all orders, and what may be done to them."},
    {
        "name": "staff returns",
        "description": "For staff: goods that come back, and money that goes back.",
    },
]
# Values for examples where the type alone would say little.
WORDS = {
    "sku": "MUG-BLUE",
    "slug": "blue-mug",
    "name": "Blue mug",
    "description": "Holds a third of a litre.",
    "attributes": {"colour": "blue"},
    "CategoryRef.slug": "kitchen",
    "CategoryRef.name": "Kitchen",
    "CategoryNode.slug": "kitchen",
    "CategoryNode.name": "Kitchen",
    "CategoryOutput.slug": "kitchen",
    "CategoryOutput.name": "Kitchen",
    "StockMovementOutput.kind": "adjusted",
    "StockMovementOutput.reason": "Broken in the store",
    "actor": "staff:01890a5d-ac96-774b-bcce-b302099a8057",
    "Address.name": "Ada Lovelace",
    "AddressInputRequest.name": "Ada Lovelace",
    "AddressRequest.name": "Ada Lovelace",
    "Me.name": "Ada Lovelace",
    "line1": "12 St James's Square",
    "line2": "",
    "city": "London",
    "region": "",
    "postal_code": "SW1Y 4JH",
    "country": "GB",
    "shipping_address": {
        "name": "Ada Lovelace",
        "line1": "12 St James's Square",
        "city": "London",
        "postal_code": "SW1Y 4JH",
        "country": "GB",
    },
    "card_token": "tok_approve",
    "cancel_reason": "",
    "reason": "customer_request",
    "error_code": "",
    "kind": "checkout",
    "step": "capture_payment",
    "SagaStepOutput.name": "capture_payment",
    "SagaStepOutput.status": "completed",
    "SagaOutput.status": "completed",
    "order": "/api/v1/orders/01890a5d-ac96-774b-bcce-b302099a8057",
    "saga": "/api/v1/sagas/01890a5d-ac96-774b-bcce-b302099a8057",
    "previous": None,
}
SETTINGS = {
    "TITLE": "Holdfast",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "LICENSE": {"name": "BSD 3-Clause", "identifier": "BSD-3-Clause"},
    "SERVERS": [{"url": "/", "description": "The host that serves this document."}],
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "OrderStatus": "apps.orders.enums.OrderStatus",
        "PaymentStatus": "apps.orders.enums.PaymentStatus",
        "FulfillmentStatus": "apps.orders.enums.FulfillmentStatus",
        "ReturnStatus": "apps.orders.enums.ReturnStatus",
        "ShipmentStatus": "apps.shipping.contracts.ShipmentStatus",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.common.rest.schema.add_components",
        "apps.customers.rest.documents.add_account",
        "project.openapi.finish",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "TAGS": TAGS,
}


def finish(result: dict, generator, request, public) -> dict:
    """The last postprocessing hook: tags that are in use, and an example for every body."""
    add_examples(result, WORDS)
    return result
