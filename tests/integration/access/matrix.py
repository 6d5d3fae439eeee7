"""Who gets what answer where: ``matrix.txt``, read.

A line is a method, a route as the URL map writes it, and one answer for each of ``PEOPLE``: a
status, or ``login`` for a redirect to the back office's login page.
"""

from pathlib import Path

FILE = Path(__file__).with_name("matrix.txt")
# By their columns; the staff with the name of their role.
PEOPLE = {
    "anonymous": "",
    "other": "",
    "owner": "",
    "readonly": "Read-only",
    "support": "Support",
    "catalogue": "Catalogue",
    "warehouse": "Warehouse",
    "finance": "Finance",
    "manager": "Manager",
    "superuser": "",
}
Address = tuple[str, str]  # method, route


def read() -> dict[Address, dict[str, str]]:
    """(method, route) → person → answer."""
    table: dict[Address, dict[str, str]] = {}
    for line in FILE.read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        method, route, *answers = line.split()
        assert len(answers) == len(PEOPLE), f"not an answer for each of {list(PEOPLE)}: {line}"
        assert (method, route) not in table, f"{method} {route} has two rows"
        table[method, route] = dict(zip(PEOPLE, answers, strict=True))
    return table
