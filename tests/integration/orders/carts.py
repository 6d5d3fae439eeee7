"""People with carts, over HTTP."""

from uuid import UUID, uuid4

import orjson
from django.http import HttpResponse
from rest_framework.test import APIClient

from apps.customers.models import User
from apps.orders.cart.contracts import Owner

ADDRESS = {"name": "Ada", "line1": "12 St James's Square", "city": "London", "country": "GB"}
PAID = {"payment": {"card_token": "tok_approve"}, "shipping_address": ADDRESS}


class Person:
    """A customer, or a visitor who keeps the token that his cart is found by."""

    def __init__(self, *, logged_in: bool = True):
        self.client = APIClient()
        self.token = ""
        if logged_in:
            self.user = User.objects.create_user(email=f"{uuid4()}@example.org", name="Ada")
            self.client.force_authenticate(self.user)

    @property
    def owner(self) -> Owner:
        return Owner.customer(self.user.public_id)

    def ask(self, method: str, path: str = "", body: dict | None = None, **headers) -> HttpResponse:
        known = {"X-Cart-Token": self.token} if self.token else {}
        answer = self.client.generic(
            method,
            f"/api/v1/cart{path}",
            b"" if body is None else orjson.dumps(body),
            content_type="application/json",
            headers=known | headers,
        )
        self.token = answer.headers.get("X-Cart-Token", self.token)
        return answer

    def put(self, product_id: UUID, quantity: int, **headers) -> HttpResponse:
        return self.ask("PUT", f"/items/{product_id}", {"quantity": quantity}, **headers)

    def add(self, product_id: UUID, pieces: int, **headers) -> HttpResponse:
        return self.ask("PATCH", f"/items/{product_id}", {"add": pieces}, **headers)

    def remove(self, product_id: UUID, **headers) -> HttpResponse:
        return self.ask("DELETE", f"/items/{product_id}", **headers)

    def checkout(self, *, key: str = "", card: str = "tok_approve", **headers) -> HttpResponse:
        body = PAID | {"payment": {"card_token": card}}
        headers |= {"Idempotency-Key": key or str(uuid4())}
        return self.ask("POST", "/checkout", body, **headers)

    def quantities(self) -> dict[UUID, int]:
        return quantities(self.ask("GET"))


def quantities(answer: HttpResponse) -> dict[UUID, int]:
    assert answer.status_code == 200, answer.content
    return {UUID(one["product_id"]): one["quantity"] for one in answer.json()["items"]}


def errors(answer: HttpResponse) -> list[tuple[str, str]]:
    assert answer["Content-Type"] == "application/problem+json"
    return [(one["field"], one["code"]) for one in answer.json()["errors"]]
