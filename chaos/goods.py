"""Who buys what: customers with tokens, products of which some are scarce, cards that go wrong."""

import random
from dataclasses import dataclass
from uuid import UUID

import urllib3
from moneyed import Money

from apps.catalog import facade as catalog
from apps.catalog.contracts import ImportProduct, ReceiveStock
from apps.customers import facade as customers
from project import env

CUSTOMERS = 6
PLENTY, SCARCE = 8, 3
PASSWORD = "chaos-Weather-2718"
SITE = f"http://127.0.0.1:{env.PORT}"
LOGIN = f"{SITE}/_allauth/app/v1/auth/login"
ADDRESS = {"name": "Ada Lovelace", "line1": "12 St James's Square", "city": "London"}
ADDRESS |= {"country": "GB", "postal_code": "SW1Y 4JH"}
# What each card does: apps/payments/sandbox/cards.py. By weight; none stays silent for ever.
CARDS = {
    "tok_approve": 820,
    "tok_decline": 30,
    "tok_insufficient_funds": 10,
    "tok_drop_before": 12,
    "tok_drop_after": 20,
    "tok_timeout_before": 10,
    "tok_timeout_after": 12,
    "tok_timeout_late": 6,
    "tok_error_500": 12,
    "tok_error_500_after": 16,
    "tok_capture_decline": 14,
    "tok_capture_timeout_before": 6,
    "tok_capture_timeout_after": 10,
    "tok_capture_error_500": 8,
    "tok_void_timeout_after": 7,
    "tok_refund_timeout_after": 7,
}


@dataclass(frozen=True)
class Goods:
    """The shop's customers (id → session token), its staff's token and its products."""

    customers: dict[UUID, str]
    staff: str
    plenty: tuple[UUID, ...]
    scarce: tuple[UUID, ...]

    def order(self, rng: random.Random) -> dict:
        """The body of an order."""
        wanted = rng.sample(self.plenty, rng.choice((1, 1, 1, 2, 3)))
        if rng.random() < 0.12:
            wanted.append(rng.choice(self.scarce))
        lines = [{"product_id": str(one), "quantity": rng.randint(1, 4)} for one in wanted]
        if rng.random() < 0.1:  # the same product may stand twice in an order
            lines.append(dict(lines[0]))
        [card] = rng.choices(list(CARDS), list(CARDS.values()))
        return {"lines": lines, "payment": {"card_token": card}, "shipping_address": ADDRESS}


def stock_up(orders: int) -> Goods:
    """Makes customers and products; of the scarce ones there is enough for a third of ``orders``
    that want them."""
    names = [f"PLENTY-{i}" for i in range(PLENTY)] + [f"SCARCE-{i}" for i in range(SCARCE)]
    known = catalog.import_products(
        [
            ImportProduct(name, name.title(), Money(f"{5 + i}.35", "GBP"))
            for i, name in enumerate(names)
        ]
    )
    scarce_pieces = max(int(orders * 0.12 / SCARCE * 2.5 / 3), 3)
    catalog.receive_stock(
        [
            ReceiveStock("chaos", known[name], 1_000_000 if "PLENTY" in name else scarce_pieces)
            for name in names
        ]
    )
    emails = [f"buyer-{i}@chaos.example" for i in range(CUSTOMERS)]
    logins = [customers.create_login(one, "Ada Lovelace", PASSWORD, staff=False) for one in emails]
    staff_email, staff_password = env.PLACES.staff_login.read_text().split("\n")[:2]
    return Goods(
        {one.customer_id: token(one.email, PASSWORD) for one in logins},
        token(staff_email, staff_password),
        tuple(known[name] for name in names[:PLENTY]),
        tuple(known[name] for name in names[PLENTY:]),
    )


def token(email: str, password: str) -> str:
    """A session token, as an app gets one."""
    body = {"email": email, "password": password}
    answer = urllib3.request("POST", LOGIN, json=body, timeout=20, retries=False)
    if answer.status != 200:
        raise RuntimeError(f"{email} cannot log in: {answer.status} {answer.data[:300]!r}")
    return answer.json()["meta"]["session_token"]
