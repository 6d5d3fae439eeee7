"""One owner of a set of servers, and guests it waits for."""

import subprocess
import sys

import pytest

from project.local.ownership import Ownership
from project.local.places import ROOT, Places


@pytest.fixture
def places(tmp_path):
    return Places(tmp_path / "var")


def test_there_is_one_owner(places):
    first, second = Ownership(places), Ownership(places)

    assert first.take("`make up`")
    assert not second.take("`make demo`")
    assert second.facts()["what"] == "`make up`"
    first.release()
    assert second.take("`make demo`")
    second.release()


def test_ownership_ends_with_its_process(places):
    """However it ends: no stale lock is left."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from project.local.ownership import Ownership\n"
        "from project.local.places import Places\n"
        "assert Ownership(Places(Path(sys.argv[1]))).take('x')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, places.var], cwd=ROOT, check=False)
    assert done.returncode == -9

    mine = Ownership(places)
    assert mine.take("`make up`")
    mine.release()


def test_an_owner_is_not_done_while_it_has_guests(places):
    owner, guest, late = Ownership(places), Ownership(places), Ownership(places)
    assert owner.take("`make demo`")
    assert guest.visit()

    assert not owner.last_one()
    guest.leave()
    assert owner.last_one()
    assert not late.visit()  # it may be stopping: no new guests
    owner.release()
    assert late.visit()
    late.leave()
