"""Finds code that writes certain tables, whichever way: SQL, the ORM, assignments to columns."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
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
        "undelete",
        "create_user",
        "create_superuser",
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


@dataclass(frozen=True)
class Scan:
    """``tables`` is a pattern of table names, ``related`` names of reverse relations to them."""

    models: frozenset[str]
    tables: str
    columns: frozenset[str]
    related: frozenset[str] = frozenset()

    def writes_in(self, source: str) -> list[int]:
        """The lines of ``source`` that write."""
        return sorted({node.lineno for node in ast.walk(ast.parse(source)) if self._writes(node)})

    def offenders(self, room: Path) -> list[str]:
        """``file:line`` of all writes outside ``room``."""
        return [
            f"{path.relative_to(ROOT)}:{line}"
            for path in modules(outside=room)
            for line in self.writes_in(path.read_text())
        ]

    def functions_in(self, source: str) -> dict[str, ast.FunctionDef]:
        """The functions of ``source`` that write, by name; others are ``<module>``'s."""
        tree = ast.parse(source)
        lines = set(self.writes_in(source))
        found = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                mine = {line for line in lines if node.lineno <= line <= node.end_lineno}
                if mine:
                    found[node.name] = node
                    lines -= mine
        return found | ({"<module>": tree} if lines else {})

    def _sql(self, text: str) -> bool:
        return bool(
            re.search(
                r"(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?|COPY)\s+"
                rf"(?:ONLY\s+)?\"?(?:\w+\"?\.\"?)?{self.tables}\b",
                text,
                re.IGNORECASE,
            )
        )

    def _writes(self, node: ast.AST) -> bool:
        text = text_of(node)
        if text is not None:
            return self._sql(text)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            return node.attr in self.columns
        if not isinstance(node, ast.Call):
            return False
        names = list(names_in(node.func))
        if not names:
            return False
        if names[0] in self.models:  # a new row, to be saved somewhere
            return True
        if names[0] == "setattr":
            return any(text_of(argument) in self.columns for argument in node.args)
        if names[0] not in WRITES:
            return False
        keywords = {one.arg for one in node.keywords}
        return bool(
            self.models & set(names) or self.related & set(names[1:]) or self.columns & keywords
        )


def modules(*, outside: Path) -> Iterator[Path]:
    """Every module of the product but migrations and those inside ``outside``."""
    for top in ("apps", "project"):
        for path in sorted((ROOT / top).rglob("*.py")):
            if "migrations" not in path.parts and outside not in path.parents:
                yield path
