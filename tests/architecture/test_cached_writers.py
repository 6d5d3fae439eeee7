"""Whoever writes products, categories or stock does it inside a bracket that invalidates caches.

Each function with a statement that writes stands on a list with the one that opens the bracket
(``with writing() as cached``) and the one that says what changes (``cached.…``). What is not listed
fails; signals and query sets cover the admin and a shell, never the product's own code.
"""

import ast

import pytest

from tests.architecture.test_tellers import PRODUCTS
from tests.architecture.writers import ROOT, Scan, modules, names_in

CATALOG, STOCK = "apps/catalog/", "apps/catalog/stock/"
ITEMS = Scan(models=frozenset({"StockItem"}), tables="catalog_stockitem", columns=frozenset())
# Statements of the stock room → who runs them is found by their names.
STATEMENTS = ("add_reserved", "end_reserved", "add_on_hand", "insert_items", "delete_items")


def own(path: str, *names: str) -> dict[str, tuple[str, str]]:
    return {f"{path}:{name}": (f"{path}:{name}", f"{path}:{name}") for name in names}


def at(path: str, writer: str, opens: str, tells: str) -> dict[str, tuple[str, str]]:
    return {f"{path}:{writer}": (f"{path}:{opens}", f"{path}:{tells}")}


# Who writes → who opens the bracket, and who says what changes.
BRACKETED = {
    **own(
        f"{CATALOG}services.py",
        *("product_create", "product_change", "product_delete", "product_restore"),
        "product_purge",
    ),
    **own(
        f"{CATALOG}categories.py",
        *("category_create", "category_change", "category_delete", "category_restore"),
        "category_purge",
    ),
    **at(f"{CATALOG}purging.py", "_remove", "products_purge", "products_purge"),
    **at(f"{CATALOG}importing.py", "_insert", "products_import", "products_import"),
    **at(f"{CATALOG}importing.py", "_categories", "products_import", "products_import"),
    **{
        f"{CATALOG}bulk/sql.py:{name}": (
            f"{CATALOG}bulk/__init__.py:_upsert",
            f"{CATALOG}bulk/__init__.py:_tell_caches",
        )
        for name in ("insert_products", "update_products")
    },
    f"{CATALOG}feed/sql.py:<module>": (  # its statement is a constant
        f"{CATALOG}feed/flushing.py:write",
        f"{CATALOG}feed/flushing.py:write",
    ),
    **at(f"{STOCK}reserving.py", "_reserve_new", "reserve", "_reserve_new"),
    **at(f"{STOCK}ending.py", "_end", "release", "_end"),
    **at(f"{STOCK}returning.py", "_give_back", "give_back", "_give_back"),
    **at(f"{STOCK}moving.py", "_adjust", "adjust", "_adjust"),
    **own(f"{STOCK}moving.py", "receive"),
    **at(f"{STOCK}holding.py", "_move", "hold", "hold"),
    f"{STOCK}holding.py:end": (  # its orders reserve in the same transaction
        f"{STOCK}reserving.py:reserve",
        f"{STOCK}reserving.py:_reserve_new",
    ),
    **at(f"{STOCK}counting.py", "_count", "count", "_count"),
    **at(f"{STOCK}expiring.py", "_end", "expire_holds", "_end"),
}
# Who changes nothing that visitors see, and why.
UNSEEN = {
    f"{CATALOG}feed/sql.py:outdate": "the version of edits only",
    f"{STOCK}moving.py:open_items": "an item at zero is no more than none",
    f"{STOCK}moving.py:drop_items": "so is one that never moved",
    f"{STOCK}closing.py:close_item": "so is one that never moved",
}


def found() -> set[str]:
    """All functions that write, or run a statement of the stock room that does."""
    writers = set()
    for path in modules(outside=ROOT / "tests"):
        name, source = str(path.relative_to(ROOT)), path.read_text()
        scans = [PRODUCTS] if name.startswith(STOCK) else [PRODUCTS, ITEMS]
        for scan in scans:
            writers |= {f"{name}:{function}" for function in scan.functions_in(source)}
        writers |= {f"{name}:{function}" for function in runs(source)}
    return writers


def runs(source: str) -> set[str]:
    """The functions that call one of ``STATEMENTS``."""
    return {
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        and any(
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr in STATEMENTS
            for call in ast.walk(node)
        )
    }


def function_at(place: str) -> ast.FunctionDef:
    path, _, name = place.partition(":")
    tree = ast.parse((ROOT / path).read_text())
    [node] = [one for one in tree.body if getattr(one, "name", "") == name]
    return node


def opens(function: ast.AST) -> bool:
    """Whether it has ``with writing() as cached`` around a transaction that is named after it."""
    return any(
        isinstance(node, ast.With)
        and len(node.items) == 2
        and list(names_in(node.items[0].context_expr)) == ["writing"]
        for node in ast.walk(function)
    )


def tells(function: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Call) and list(names_in(node.func))[1:] == ["cached"]
        for node in ast.walk(function)
    )


def test_every_writer_is_listed():
    assert found() == BRACKETED.keys() | UNSEEN.keys()


@pytest.mark.parametrize("writer", BRACKETED)
def test_every_writer_is_bracketed(writer):
    opener, teller = BRACKETED[writer]
    assert opens(function_at(opener))
    assert tells(function_at(teller))


@pytest.mark.parametrize(
    "offender",
    [
        "Product.objects.filter(pk=1).update(active=False)",
        "Product.objects.bulk_create(rows)",
        'execute(DATABASE, "UPDATE catalog_product SET active = false")',
        'execute(DATABASE, "DELETE FROM catalog_category WHERE id = 1")',
        'execute(DATABASE, "UPDATE catalog_stockitem SET reserved = 0")',
        "StockItem.objects.update(on_hand=1)",
    ],
)
def test_a_planted_writer_is_found(offender):
    source = f"def culprit():\n    {offender}\n"
    assert "culprit" in PRODUCTS.functions_in(source) | ITEMS.functions_in(source)


def test_whoever_moves_stock_by_a_statement_is_found():
    assert runs("def culprit():\n    sql.add_on_hand({1: 2})\n") == {"culprit"}


@pytest.mark.parametrize(
    "source",
    [
        "with transaction.atomic(using=A):\n    cached.products([1])",
        "with writing() as cached:\n    work()",
    ],
)
def test_a_bracket_without_its_half_is_none(source):
    tree = ast.parse(source)
    assert not (opens(tree) and tells(tree))
