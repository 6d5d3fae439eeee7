"""Only ``apps/catalog/stock`` writes stock: nobody else can oversell, not even by mistake.

Planted offenders prove that the scan would find one.
"""

import pytest

from tests.architecture.writers import ROOT, Scan

ROOM = ROOT / "apps" / "catalog" / "stock"
STOCK = Scan(
    models=frozenset({"StockItem", "Reservation", "StockLedgerEntry"}),
    tables="catalog_(?:stockitem|reservation|stockledgerentry)",
    columns=frozenset({"on_hand", "reserved", "delta_on_hand", "delta_reserved"}),
    related=frozenset({"stock_item", "reservations", "ledger"}),
)


def test_only_the_stock_room_writes_stock():
    assert STOCK.offenders(ROOM) == []


def test_inside_the_stock_room_only_statements_write():
    writers = {path.name for path in ROOM.rglob("*.py") if STOCK.writes_in(path.read_text())}
    assert writers == {"sql.py", "hold_sql.py"}


@pytest.mark.parametrize(
    "offender",
    [
        'cursor.execute("UPDATE catalog_stockitem SET reserved = 0")',
        'cursor.execute("update only catalog_stockitem set on_hand = 9")',
        'cursor.execute("""\n  INSERT INTO\n  catalog_stockledgerentry (kind) VALUES (1)""")',
        'cursor.execute(f"DELETE FROM catalog_reservation WHERE id = {pk}")',
        "cursor.execute('UPDATE \"catalog_stockitem\" SET reserved = 0')",
        "cursor.execute('TRUNCATE public.catalog_reservation')",
        "cursor.copy('COPY catalog_stockitem FROM STDIN')",
        "StockItem.objects.filter(pk=1).update(**values)",
        'StockItem.objects.using("catalog").bulk_update(items, ["on_hand"])',
        "models.Reservation.objects.create(quantity=1)",
        "StockItem(product_id=1).save()",
        "StockLedgerEntry.objects.all().delete()",
        "queryset.update(on_hand=F('on_hand') - 1)",
        "manager.create(product=product, reserved=1)",
        "product.reservations.all().delete()",
        "product.ledger.create(kind='sold')",
        "item.on_hand -= 1",
        "product.stock_item.reserved = 4",
        "setattr(item, 'reserved', 4)",
    ],
)
def test_the_scan_finds_a_planted_offender(offender):
    assert STOCK.writes_in(f"def innocent():\n    {offender}\n") != []


@pytest.mark.parametrize(
    "harmless",
    [
        'fetch_all("SELECT s.on_hand FROM catalog_stockitem s")',
        "StockItem.objects.filter(on_hand__gt=F('reserved')).count()",
        "StockLevel(product_id, on_hand=1, reserved=0)",
        "available = item.on_hand - item.reserved",
        "Product.objects.filter(pk=1).update(name='x')",
        "seen.add(product_id)",
    ],
)
def test_the_scan_leaves_reading_alone(harmless):
    assert STOCK.writes_in(harmless) == []
