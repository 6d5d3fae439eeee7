"""The house's rules on who may know whom."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.writers import ROOT, modules

NOWHERE = Path("/nowhere")
# Rooms with vocabulary for everybody besides facade and contracts.
OPEN = {
    "sagas": {"choreography", "definition", "retry", "enums"},
    "scheduling": {"definition"},
    "eventlog": {"comparing", "selectors"},
}
SHARED = {"common", "messaging", "caching"}


def test_imports_point_down_only():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]


def imports(source: str) -> Iterator[tuple[str, int]]:
    """Every module that ``source`` imports from ``apps``, as ``apps.room.module``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("apps"):
            for name in node.names:
                yield f"{node.module}.{name.name}", node.lineno
        elif isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)


def back_doors(path: Path, source: str) -> list[str]:
    """Imports of another app past its facade and contracts."""
    own = path.relative_to(ROOT).parts[1]
    found = []
    for name, line in imports(source):
        parts = name.split(".")
        if parts[0] != "apps" or len(parts) < 3 or parts[1] in {own, *SHARED}:
            continue
        if parts[2] not in {"facade", "contracts", "event_contracts"} | OPEN.get(parts[1], set()):
            found.append(f"{path.relative_to(ROOT)}:{line} {name}")
    return found


def test_apps_are_entered_by_facade_and_contracts():
    assert [
        door
        for path in modules(outside=ROOT / "project")
        for door in back_doors(path, path.read_text())
    ] == []


@pytest.mark.parametrize(
    "offender",
    [
        "from apps.catalog.models import Product",
        "from apps.catalog import stock",
        "def late():\n    from apps.payments.ledger import append",
        "from apps.sagas.engine import store",
    ],
)
def test_a_back_door_is_found(offender):
    assert back_doors(ROOT / "apps" / "orders" / "x.py", offender) != []


NAMED = {"atomic", "on_commit"}


def nameless(source: str) -> list[int]:
    """Lines that open a transaction, or wait for one, without naming the database."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in NAMED
        and "using" not in {keyword.arg for keyword in node.keywords}
    ] + [
        decorator.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if getattr(decorator, "attr", getattr(decorator, "id", "")) in NAMED
    ]


def test_every_transaction_names_its_database():
    assert [
        f"{path.relative_to(ROOT)}:{line}"
        for path in modules(outside=NOWHERE)
        for line in nameless(path.read_text())
    ] == []


@pytest.mark.parametrize(
    "offender",
    [
        "with transaction.atomic():\n    pass",
        "transaction.on_commit(nudge)",
        "with atomic():\n    pass",
        "@transaction.atomic\ndef f():\n    pass",
    ],
)
def test_a_nameless_transaction_is_found(offender):
    assert nameless(offender) != []
