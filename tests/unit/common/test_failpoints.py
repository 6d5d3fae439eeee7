"""Arming: by name and count, in one process, and by a file in running ones."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.common import failpoints
from apps.common.failpoints import Armed, ArmedByFile, FailpointReached, failpoint

ROOT = Path(__file__).resolve().parents[3]
NAME, OTHER = "saga.begin.before_commit", "saga.begin.after_commit"


@pytest.fixture
def arm(monkeypatch):
    def set_to(armed):
        monkeypatch.setattr(failpoints, "_armed", armed)
        return armed

    return set_to


def reached(name: str) -> bool:
    try:
        failpoint(name)
    except FailpointReached:
        return True
    return False


def test_only_the_nth_pass_of_its_name_acts(arm):
    arm(Armed.parse(f"{NAME}:2:raise"))
    passes = [reached(name) for name in (OTHER, NAME, OTHER, NAME, NAME)]
    assert passes == [False, False, False, True, False]


@pytest.mark.parametrize(
    "text",
    ["", NAME, f"{NAME}:1", f"{NAME}:0:kill", f"{NAME}:x:kill", f"{NAME}:1:stop", "no.such:1:kill"],
)
def test_what_is_no_failpoint_is_refused(text):
    with pytest.raises(ImproperlyConfigured):
        Armed.parse(text)


@pytest.mark.parametrize("variable", ["FAILPOINT", "FAILPOINT_FILE"])
def test_it_is_refused_unless_enabled(settings, variable):
    setattr(settings, variable, f"{NAME}:1:kill")
    with pytest.raises(ImproperlyConfigured, match="FAILPOINTS_ENABLED"):
        failpoints._from_settings()
    settings.FAILPOINTS_ENABLED = True
    assert failpoints._from_settings() is not None


def test_a_sleep_is_as_long_as_set_and_never_longer_than_ten_minutes(arm, settings, monkeypatch):
    slept = []
    monkeypatch.setattr(failpoints.time, "sleep", slept.append)
    for seconds in (0.5, 86_400):
        settings.FAILPOINT_SLEEP_SECONDS = seconds
        arm(Armed.parse(f"{NAME}:1:sleep"))
        failpoint(NAME)
    assert slept == [0.5, 600.0]


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr(failpoints, "LOOK_EVERY", 0.0)


def test_a_file_arms_a_running_process_again_and_again(arm, no_pause, tmp_path):
    file = tmp_path / "armed"
    arm(ArmedByFile(file))
    assert not reached(NAME)
    for _ in range(2):
        file.write_text(f"{NAME}:2:raise\n")
        assert [reached(NAME), reached(NAME)] == [False, True]
        assert not file.exists()
        assert not reached(NAME)


def test_of_several_processes_one_acts_upon_a_file(no_pause, tmp_path):
    file = tmp_path / "armed"
    file.write_text(f"{NAME}:1:raise")
    first, second = ArmedByFile(file), ArmedByFile(file)
    second._look()
    with pytest.raises(FailpointReached):
        first.reach(NAME)
    second._look_at = float("inf")  # it was about to act too
    second.reach(NAME)


def test_a_process_that_is_told_to_dies_of_sigkill():
    code = (
        "import django; django.setup()\n"
        "from apps.common.failpoints import failpoint\n"
        f"failpoint('{NAME}')"
    )
    environment = {
        "FAILPOINTS_ENABLED": "1",
        "FAILPOINT": f"{NAME}:1:kill",
        "SECRET_KEY": "x",
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment).returncode == -9
