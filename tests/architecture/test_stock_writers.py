"""Only ``apps/catalog/stock`` writes stock: nobody else can oversell, not even by mistake.

The scan reads every module's syntax tree for SQL that writes the stock tables, ORM writes to
their models, and assignments to their columns. Planted offenders prove that it would find one.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ALLOWED = ROOT / "apps" / "catalog" / "stock"
MODELS = {"StockItem", "Reservation", "StockLedgerEntry"}
RELATED = {"stock_item", "reservations", "ledger"}
COLUMNS = {"on_hand", "reserved", "delta_on_hand", "delta_reserved"}
TABLE = r"(?:ONLY\s+)?\"?(?:\w+\"?\.\"?)?catalog_(?:stockitem|reservation|stockledgerentry)\b"
SQL = re.compile(
    rf"(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|COPY)\s+{TABLE}",
    re.IGNORECASE,
)
WRITES = {
    f"{prefix}{name}"
    for prefix in ("", "a")
    for name in (
        "create",
        "bulk_create",
        "get_or_create",
        "update_or_create",
        "update",
        "bulk_update",
        "save",
        "delete",
        "_raw_delete",
        "add",
        "set",
        "remove",
        "clear",
    )
}


def names_in(node: ast.AST) -> Iterator[str]:
    """The names along a chain of attributes and calls, e.g. of ``Model.objects.filter(…)``."""
    while True:
        if isinstance(node, ast.Attribute):
            yield node.attr
            node = node.value
        elif isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            if isinstance(node, ast.Name):
                yield node.id
            return


def text_of(node: ast.AST) -> str | None:
    """A string's text; what an f-string fills in becomes a word nobody looks for."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) or "…" for part in node.values)
    return None


def is_write(node: ast.AST) -> bool:
    text = text_of(node)
    if text is not None:
        return bool(SQL.search(text))
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
        return node.attr in COLUMNS
    if not isinstance(node, ast.Call):
        return False
    names = list(names_in(node.func))
    if not names:
        return False
    if names[0] in MODELS:  # a new row, to be saved somewhere
        return True
    if names[0] == "setattr":
        return any(text_of(argument) in COLUMNS for argument in node.args)
    if names[0] not in WRITES:
        return False
    keywords = {one.arg for one in node.keywords}
    return bool(MODELS & set(names) or RELATED & set(names[1:]) or COLUMNS & keywords)


def writes_in(source: str) -> list[int]:
    """The lines of ``source`` that write stock."""
    return sorted({node.lineno for node in ast.walk(ast.parse(source)) if is_write(node)})


def modules() -> Iterator[Path]:
    for top in ("apps", "project"):
        for path in sorted((ROOT / top).rglob("*.py")):
            if "migrations" not in path.parts and ALLOWED not in path.parents:
                yield path


def test_only_the_stock_room_writes_stock():
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules()
        for line in writes_in(path.read_text())
    ]
    assert found == []


def test_inside_the_stock_room_one_module_writes():
    writers = {path.name for path in ALLOWED.rglob("*.py") if writes_in(path.read_text())}
    assert writers == {"sql.py"}


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
    assert writes_in(f"def innocent():\n    {offender}\n") != []


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
    assert writes_in(harmless) == []
