"""Background work steps back behind the orders, alone or as a session."""

import subprocess
import sys

import pytest

from apps.common.priority import AUTOGROUP

CHILD = """
import os
from apps.common.priority import AUTOGROUP, step_back
step_back(3)
print(os.nice(0), AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() else "-")
"""


@pytest.mark.parametrize("leads", [True, False])
def test_the_leader_of_a_session_asks_for_all_of_it(leads):
    before = AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() else "-"
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        start_new_session=leads,
        capture_output=True,
        text=True,
        check=True,
    )
    own, session = done.stdout.split()
    assert int(own) >= 3
    assert session == (own if leads and before != "-" else before)
