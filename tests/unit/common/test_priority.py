"""Background work steps back behind the orders, alone or as a session."""

import subprocess
import sys

import pytest

from apps.common.priority import AUTOGROUP

CHILD = """
import os
from apps.common.priority import step_back
from tests.unit.common.test_priority import session
step_back(3)
print(os.nice(0), session())
"""


def session() -> str:
    """The niceness of this session; ``-`` where Linux shares nothing among sessions."""
    said = AUTOGROUP.read_text().split() if AUTOGROUP.exists() else []
    return said[-1] if said else "-"


@pytest.mark.parametrize("leads", [True, False])
def test_the_leader_of_a_session_asks_for_all_of_it(leads):
    before = session()
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        start_new_session=leads,
        capture_output=True,
        text=True,
        check=True,
    )
    own, whole = done.stdout.split()
    assert int(own) >= 3
    assert whole == "-" or whole == (own if leads else before)
