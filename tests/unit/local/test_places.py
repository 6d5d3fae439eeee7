import os
from pathlib import Path

import pytest

from project.local.places import LONGEST_SOCKET_DIR, Places, make_private

KERNEL_LIMIT = 104  # macOS; Linux allows 108


def test_sockets_lie_below_var_where_that_is_short():
    assert Places(Path("/srv/shop/var")).sockets == Path("/srv/shop/var/run")


@pytest.mark.parametrize(
    "var", ["/srv/" + "deep/" * 30 + "var", "/srv/a shop/var", "/srv/50%,a/var", "/srv/größe/var"]
)
def test_sockets_of_a_deep_or_odd_place_lie_where_urls_can_name_them(var):
    sockets = Places(Path(var)).sockets

    assert sockets.parent == Path("/tmp")
    assert sockets != Places(Path(var + "2")).sockets
    assert str(sockets).isascii()


@pytest.mark.parametrize("length", [LONGEST_SOCKET_DIR - 10, LONGEST_SOCKET_DIR, 200])
def test_every_socket_fits_the_kernel(length):
    places = Places(Path("/" + "x" * (length - 5)))
    lock = places.postgres_sockets / ".s.PGSQL.5432.lock"

    for socket in (lock, *places.redis_sockets):
        assert len(os.fsencode(socket)) < KERNEL_LIMIT


def test_two_sets_of_servers_share_nothing():
    one, other = Places(Path("/srv/shop/var")), Places(Path("/srv/shop/var/test"))

    assert one.postgres_data != other.postgres_data
    assert one.sockets != other.sockets


def test_a_private_directory_is_made_and_closed(tmp_path):
    there = tmp_path / "run"
    there.mkdir(mode=0o755)

    make_private(there, 0o700)

    assert there.stat().st_mode & 0o777 == 0o700


def test_a_planted_link_is_refused(tmp_path):
    """Whoever makes the directory first in /tmp must not choose where our sockets go."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "theirs")

    with pytest.raises(PermissionError):
        make_private(tmp_path / "run", 0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make somebody else's directory")
def test_a_directory_of_somebody_else_is_refused(tmp_path):
    there = tmp_path / "run"
    there.mkdir()
    os.chown(there, 12345, 12345)

    with pytest.raises(PermissionError):
        make_private(there, 0o700)
