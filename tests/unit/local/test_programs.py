import os
from pathlib import Path

import pytest

from project.local import programs
from project.local.errors import Trouble


def program(directory: Path, name: str) -> Path:
    path = directory / name
    path.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 17.5'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_wheels(monkeypatch, tmp_path):
    """A machine for which no wheel has a build; PATH is ``tmp_path``."""
    monkeypatch.setattr(programs, "_wheel", lambda package, inside: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", ["redis-server", "valkey-server"])
def test_a_redis_of_the_machine_serves(no_wheels, name):
    there = program(no_wheels, name)

    assert programs.redis_program() == there


def test_a_missing_redis_is_one_line_with_the_way_out(no_wheels):
    with pytest.raises(Trouble) as trouble:
        programs.redis_program()

    assert "apt install redis-server" in str(trouble.value)
    assert "\n" not in str(trouble.value)


def test_a_postgres_of_the_machine_serves_with_its_own_initdb(no_wheels, monkeypatch):
    monkeypatch.setattr(programs, "DEBIAN", no_wheels / "none")
    wanted = program(no_wheels, "initdb"), program(no_wheels, "postgres")

    assert programs.postgres_programs() == wanted
    assert programs.major_version(wanted[1]) == 17


def test_the_newest_postgres_off_path_serves_on_debian(no_wheels, monkeypatch):
    for version in ("9.6", "15", "17"):
        directory = no_wheels / "postgresql" / version / "bin"
        directory.mkdir(parents=True)
        program(directory, "initdb")
        program(directory, "postgres")
    monkeypatch.setattr(programs, "DEBIAN", no_wheels / "postgresql")

    assert programs.postgres_programs()[1].parts[-3] == "17"


def test_half_an_installation_does_not_serve(no_wheels, monkeypatch):
    monkeypatch.setattr(programs, "DEBIAN", no_wheels / "none")
    program(no_wheels, "initdb")

    with pytest.raises(Trouble, match="PostgreSQL is missing"):
        programs.postgres_programs()


def test_the_wheels_come_first_where_they_have_a_build():
    initdb, postgres = programs.postgres_programs()

    assert initdb.parent == postgres.parent
    assert os.access(programs.redis_program(), os.X_OK)
