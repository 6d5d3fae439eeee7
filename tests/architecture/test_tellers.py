"""Whoever writes products, categories or customers tells of it: each writer stands on a list with
the functions that append its events. Stock has its own room, see ``test_stock_writers``.
"""

import ast

import pytest

from tests.architecture.writers import ROOT, Scan, modules, names_in

PRODUCTS = Scan(
    models=frozenset({"Product", "Category"}),
    tables="catalog_(?:product|category)",
    columns=frozenset(),
    related=frozenset({"product", "category", "products"}),
)
CUSTOMERS = Scan(
    models=frozenset({"User"}),
    tables="customers_user",
    columns=frozenset(),
    related=frozenset({"user"}),
)
CATALOG, PEOPLE = "apps/catalog/", "apps/customers/"
# Who writes → who appends what that tells.
TELLERS = {
    **{
        f"{CATALOG}services.py:{name}": f"{CATALOG}services.py:{name}"
        for name in ("product_create", "product_change", "product_delete", "product_restore")
    },
    **{
        f"{CATALOG}categories.py:{name}": f"{CATALOG}categories.py:{name}"
        for name in ("category_create", "category_change", "category_delete", "category_restore")
    },
    f"{CATALOG}importing.py:_insert": f"{CATALOG}importing.py:products_import",
    f"{CATALOG}importing.py:_categories": f"{CATALOG}importing.py:_categories",
    f"{CATALOG}bulk/sql.py:insert_products": f"{CATALOG}bulk/__init__.py:_make",
    f"{CATALOG}bulk/sql.py:update_products": f"{CATALOG}bulk/__init__.py:_change",
    **{
        f"{PEOPLE}services.py:{name}": f"{PEOPLE}services.py:{name}"
        for name in ("customer_create", "customer_update", "customer_delete", "customer_restore")
    },
    f"{PEOPLE}accounts.py:customer_sign_up": f"{PEOPLE}accounts.py:customer_sign_up",
    f"{PEOPLE}managers.py:create_user": f"{PEOPLE}managers.py:create_superuser",
    f"{PEOPLE}models.py:save": f"{PEOPLE}models.py:save",  # allauth's writes
    f"{PEOPLE}registration.py:<module>": f"{PEOPLE}registration.py:customers_register",
}
# Who writes what no event tells of, and why not.
SILENT = {
    f"{CATALOG}feed/sql.py:<module>": "tells in the same statement (integration tests compare)",
    f"{CATALOG}feed/sql.py:outdate": "which edit is in the row",
    f"{CATALOG}services.py:product_purge": "was told to be deleted",
    f"{CATALOG}categories.py:category_purge": "was told to be deleted",
    f"{CATALOG}purging.py:_remove": "was told to be deleted",
    f"{PEOPLE}accounts.py:email_being_confirmed": "the version; the address is saved by allauth",
    f"{PEOPLE}accounts.py:password_choose": "the password",
    f"{PEOPLE}addresses.py:_written": "the version",
    f"{PEOPLE}forms.py:clean": "is never saved",
    f"{PEOPLE}saved_views.py:_write": "filters of the back office",
    f"{PEOPLE}services.py:customer_set_password": "the password",
    "project/management/commands/prepare_shop.py:login": "the password",
}


def writers() -> set[str]:
    return {
        f"{path.relative_to(ROOT)}:{name}"
        for path in modules(outside=ROOT / "tests")
        for scan in (PRODUCTS, CUSTOMERS)
        for name in scan.functions_in(path.read_text())
    }


def tells(teller: str) -> bool:
    """Whether the function calls something of its app's ``events``."""
    path, _, name = teller.partition(":")
    tree = ast.parse((ROOT / path).read_text())
    return any(
        isinstance(call, ast.Call) and "events" in list(names_in(call.func))[1:]
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name == name
        for call in ast.walk(node)
    )


def test_every_writer_is_listed():
    allauths = {f"{PEOPLE}models.py:save"}
    assert writers() == (TELLERS.keys() - allauths) | SILENT.keys()


@pytest.mark.parametrize("teller", sorted(set(TELLERS.values())))
def test_every_teller_tells(teller):
    assert tells(teller)


@pytest.mark.parametrize(
    ("scan", "offender"),
    [
        (PRODUCTS, "Product.objects.filter(pk=1).update(active=False)"),
        (PRODUCTS, "product.save(update_fields=['name'])"),
        (PRODUCTS, 'execute(DATABASE, "UPDATE catalog_product SET active = false")'),
        (PRODUCTS, "Category.objects.create(name='Tea')"),
        (CUSTOMERS, "User.objects.create_user('ann@example.org')"),
        (CUSTOMERS, "user.undelete()"),
        (CUSTOMERS, 'execute(DATABASE, "INSERT INTO customers_user (email) VALUES (1)")'),
    ],
)
def test_the_scan_finds_a_planted_writer(scan, offender):
    assert list(scan.functions_in(f"def culprit():\n    {offender}\n")) == ["culprit"]


def test_who_does_not_tell_is_found():
    assert not tells(f"{PEOPLE}services.py:customer_set_password")
