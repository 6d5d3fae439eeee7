"""The list of failpoints and the code agree; commits on an order's way have one on each side."""

import ast
from collections.abc import Iterator
from itertools import zip_longest

import pytest

from apps.common.failpoint_names import NAMES
from tests.architecture.writers import ROOT, modules

NOWHERE = ROOT / "nowhere"
# Where a commit moves an order, its money or its stock on.
ON_THE_WAY = ("apps/sagas/engine", "apps/orders/services", "apps/payments", "apps/shipping")
STOCK = ("reserving", "holding", "ending", "expiring")


def named(call: ast.AST) -> str | None:
    """The name of a failpoint, ``…`` where it is not written out."""
    if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "failpoint":
        return None
    [name] = call.args
    return name.value if isinstance(name, ast.Constant) else "…"


def passed(source: str) -> list[str]:
    return [name for node in ast.walk(ast.parse(source)) if (name := named(node))]


def test_every_failpoint_is_listed_and_every_listed_one_is_in_the_code():
    found = {name for path in modules(outside=NOWHERE) for name in passed(path.read_text())}
    assert found == set(NAMES)


def test_each_name_says_where_it_stands():
    assert [name for name, what in NAMES.items() if len(what) < 20] == []


def _is(node: ast.AST | None, ending: str) -> str | None:
    name = named(node.value) if isinstance(node, ast.Expr) else None
    return name.removesuffix(ending) if name and name.endswith(ending) else None


def _opens(node: ast.AST) -> bool:
    return isinstance(node, ast.With) and any(
        getattr(getattr(one.context_expr, "func", None), "attr", "") == "atomic"
        for one in node.items
    )


def unframed(source: str) -> Iterator[int]:
    """Lines of transactions that do not end with ``x.before_commit``, followed by
    ``x.after_commit``."""
    for parent in ast.walk(ast.parse(source)):
        for block in (getattr(parent, "body", None), getattr(parent, "orelse", None)):
            if not isinstance(block, list):
                continue
            for node, following in zip_longest(block, block[1:]):
                if _opens(node):
                    before = _is(node.body[-1], ".before_commit")
                    if not before or before != _is(following, ".after_commit"):
                        yield node.lineno


def on_the_way():
    for path in modules(outside=NOWHERE):
        name = str(path.relative_to(ROOT))
        if name.startswith(ON_THE_WAY) or (
            path.parent == ROOT / "apps/catalog/stock" and path.stem in STOCK
        ):
            yield path


def test_every_commit_on_an_orders_way_has_a_failpoint_on_each_side():
    assert [
        f"{path.relative_to(ROOT)}:{line}"
        for path in on_the_way()
        for line in unframed(path.read_text())
    ] == []


@pytest.mark.parametrize(
    "offender",
    [
        "with transaction.atomic(using=A):\n    work()",
        "with transaction.atomic(using=A):\n    failpoint('x.before_commit')",
        "with transaction.atomic(using=A):\n    work()\nfailpoint('x.after_commit')",
        "with transaction.atomic(using=A):\n    failpoint('x.before_commit')\n"
        "failpoint('y.after_commit')",
        "with transaction.atomic(using=A):\n    failpoint('x.before_commit')\n    work()\n"
        "failpoint('x.after_commit')",
    ],
)
def test_a_commit_without_both_is_found(offender):
    assert list(unframed(offender)) == [1]


def test_a_framed_commit_is_let_pass():
    good = (
        "with transaction.atomic(using=A):\n    failpoint('x.before_commit')\n"
        "failpoint('x.after_commit')"
    )
    assert list(unframed(good)) == []
