"""A small catalogue for tests, made through the facade."""

import itertools
from uuid import UUID, uuid4

from moneyed import Money

from apps.catalog import facade
from apps.catalog.contracts import (
    DispatchStock,
    ImportProduct,
    ReceiveStock,
    ReleaseStock,
    ReserveStock,
    ReturnStock,
    StockLine,
)
from apps.catalog.models import StockItem, StockLedgerEntry

_number = itertools.count(1)


def product(on_hand: int = 0, **values) -> UUID:
    """A product with ``on_hand`` pieces in the house; its public id."""
    sku = values.pop("sku", f"T{next(_number):05}")
    one = ImportProduct(
        sku=sku,
        name=values.pop("name", f"Thing {sku}"),
        price=values.pop("price", Money("4.20", "GBP")),
        **values,
    )
    product_id = facade.import_products([one])[sku]
    if on_hand:
        facade.receive_stock([ReceiveStock(f"opening {sku}", product_id, on_hand)])
    return product_id


def reserve(*lines: tuple[UUID, int], key: str = "", order_id: UUID | None = None) -> ReserveStock:
    order_id = order_id or uuid4()
    return ReserveStock(
        key or f"{order_id}:1:forward", order_id, tuple(StockLine(*line) for line in lines)
    )


def release(command: ReserveStock, key: str = "") -> ReleaseStock:
    return ReleaseStock(
        key or command.key.replace("forward", "back"), command.key, command.order_id
    )


def dispatch(command: ReserveStock, key: str = "") -> DispatchStock:
    return DispatchStock(key or f"{command.order_id}:dispatch", command.order_id)


def give_back(*lines: tuple[UUID, int], key: str = "", order_id: UUID | None = None) -> ReturnStock:
    order_id = order_id or uuid4()
    return ReturnStock(
        key or f"{order_id}:return", order_id, tuple(StockLine(*line) for line in lines)
    )


def levels(product_id: UUID) -> tuple[int, int]:
    """(on_hand, reserved) of the product."""
    item = StockItem.objects.get(product__public_id=product_id)
    return item.on_hand, item.reserved


def ledger(product_id: UUID) -> list[tuple[str, int, int]]:
    """The product's movements, oldest first."""
    return list(
        StockLedgerEntry.objects.filter(product__public_id=product_id)
        .order_by("id")
        .values_list("kind", "delta_on_hand", "delta_reserved")
    )
