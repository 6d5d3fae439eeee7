"""Checks of rooms that orders do not know, registered by ``project/wiring.py``."""

from collections.abc import Callable, Mapping

Check = Callable[[], tuple[int, Mapping[str, str]]]  # how many it looked at; offending id → why
_checks: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """Makes ``check`` part of every audit. Raises ``ValueError`` where the name is taken."""
    if _checks.setdefault(name, check) is not check:
        raise ValueError(f"two checks are called {name}")


def registered() -> Mapping[str, Check]:
    return dict(_checks)
