"""The form in which every app reports broken invariants."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A row that breaks an invariant: ``check`` names it, ``subject`` is the offending id."""

    check: str
    subject: str
    detail: str
