"""A small shop to trade with in tests: a customer, products with stock, orders."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from moneyed import Money

from apps.catalog import facade as catalog
from apps.catalog.contracts import ImportProduct, ReceiveStock
from apps.customers import facade as customers
from apps.customers.contracts import Address, RegisterCustomer
from apps.orders import facade as orders
from apps.orders.audit.models import AuditRun
from apps.orders.audit.services import audit_run
from apps.orders.contracts import OrderLine, OrderPlaced, PlaceOrder
from apps.sagas.engine.driver import drive_batch

ADDRESS = Address("Ada Lovelace", "12 St James's Square", "London", "GB", postal_code="SW1Y 4JH")


@dataclass
class Trade:
    """One customer and products by sku, with ``stock`` pieces each, at 9.50 GBP."""

    skus: tuple[str, ...] = ("MUG", "CUP")
    stock: int = 100
    email: str = "ada@example.org"
    customer_id: UUID = field(init=False)
    products: dict[str, UUID] = field(init=False)

    def __post_init__(self):
        known = customers.register_customers([RegisterCustomer(self.email, "Ada Lovelace")])
        self.customer_id = known[self.email]
        self.products = catalog.import_products(
            [ImportProduct(sku, sku.title(), Money("9.50", "GBP")) for sku in self.skus]
        )
        self.receive(self.stock)

    def receive(self, pieces: int) -> None:
        catalog.receive_stock(
            [ReceiveStock("trade", product_id, pieces) for product_id in self.products.values()]
        )

    def command(self, *, card: str = "tok_approve", key: str = "", **quantities: int) -> PlaceOrder:
        """An order of ``quantities`` by sku (default: one mug)."""
        lines = quantities or {"MUG": 1}
        return PlaceOrder(
            principal=f"customer:{self.customer_id}",
            key=key or str(uuid4()),
            customer_id=self.customer_id,
            lines=tuple(OrderLine(self.products[sku], n) for sku, n in lines.items()),
            card_token=card,
            address=ADDRESS,
        )

    def place(self, **words) -> OrderPlaced:
        return orders.place_order(self.command(**words))

    def levels(self) -> dict[str, tuple[int, int]]:
        """sku → (on_hand, reserved)."""
        levels = {one.product_id: one for one in catalog.stock_levels(self.products.values())}
        return {
            sku: (levels[product_id].on_hand, levels[product_id].reserved)
            for sku, product_id in self.products.items()
        }


def axes(order_id: UUID) -> tuple[str, str, str]:
    """The order's three states."""
    order = orders.get_order(order_id)
    return order.status, order.payment_status, order.fulfillment_status


def drive_all() -> None:
    """Drives in this process until nothing is due."""
    while drive_batch():
        pass


def violations() -> dict[str, list[str]]:
    """What the audit finds: check → offending ids."""
    report = audit_run(trigger=AuditRun.Trigger.COMMAND)
    checks = report.as_json()["checks"]
    return {name: check["ids"] for name, check in checks.items() if check["violations"]}
