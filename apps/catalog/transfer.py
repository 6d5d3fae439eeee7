"""Products, prices and stock by CSV and XLSX."""

from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from import_export.fields import Field

from apps.catalog import facade, services
from apps.catalog.contracts import AdjustStock, ImportProduct
from apps.catalog.enums import DATABASE
from apps.catalog.models import Product
from apps.catalog.stock.moving import MAX_PIECES
from apps.common.actor import current_actor
from apps.common.transfer.resources import Row, ServiceResource, money, whole, wrong


def _product(row: Row) -> Product:
    found = Product.objects.using(DATABASE).filter(sku=row["sku"]).first()
    if found is None:
        raise wrong("sku", f"There is no product “{row['sku']}”.")
    return found


class ProductResource(ServiceResource):
    """New products; those that live already are kept as they are."""

    title, permission = "Products", "catalog.add_product"
    columns = {
        "sku": True,
        "name": True,
        "price": True,
        "currency": False,
        "category": False,
        "description": False,
    }
    price = Field(attribute="price__amount", column_name="price")
    currency = Field(attribute="price_currency", column_name="currency")
    category = Field(attribute="category__name", column_name="category")

    class Meta:
        model = Product
        fields = ("sku", "name", "price", "currency", "category", "description")
        export_order = fields

    def take(self, row: Row, number: int) -> bool:
        known = Product.objects.using(DATABASE).filter(sku=row["sku"]).exists()
        facade.import_products(
            [
                ImportProduct(
                    sku=row["sku"],
                    name=row["name"],
                    price=money(row, "price", settings.DEFAULT_CURRENCY),
                    category=row["category"],
                    description=row["description"],
                )
            ]
        )
        return not known


class PriceResource(ServiceResource):
    """New prices of living products."""

    title, permission = "Prices", "catalog.change_product"
    columns = {"sku": True, "price": True, "currency": False}
    price = Field(attribute="price__amount", column_name="price")
    currency = Field(attribute="price_currency", column_name="currency")

    class Meta:
        model = Product
        fields = ("sku", "price", "currency")
        export_order = fields

    def take(self, row: Row, number: int) -> bool:
        product = _product(row)
        price = money(row, "price", product.price.currency.code)
        if price == product.price:
            return False
        services.product_change(
            product_pk=product.pk, version=product.version, changes={"price": price}
        )
        return True


class StockResource(ServiceResource):
    """Corrections of counts: ``change`` pieces more (10) or less (-3), and why.

    A row of the same file counts once, however often the file comes within a day.
    """

    title, permission = "Stock", "catalog.adjust_stock"
    columns = {"sku": True, "change": True, "reason": True}
    fields_to_columns = {"delta": "change"}
    on_hand = Field(attribute="stock_item__on_hand", column_name="on_hand")
    reserved = Field(attribute="stock_item__reserved", column_name="reserved")
    available = Field(attribute="stock_item__available", column_name="available")

    class Meta:
        model = Product
        fields = ("sku", "name", "on_hand", "reserved", "available")
        export_order = fields

    def take(self, row: Row, number: int) -> bool:
        product = _product(row)
        change = whole(row, "change", most=MAX_PIECES)
        if not change:
            raise wrong("change", "A change of zero pieces changes nothing.")
        if not row["reason"]:
            raise wrong("reason", "Say why.")
        file = repr([sorted(one.items()) for one in self.rows])
        actor = current_actor()
        facade.adjust_stock(
            AdjustStock(
                key=f"import:{uuid5(NAMESPACE_URL, file)}:{number}",
                principal=f"staff:{actor.id}" if actor else "import",
                product_id=product.public_id,
                delta=change,
                reason=row["reason"][:200],
            )
        )
        return True
