"""What of an edit a row still lacks; where a key lies."""

import pytest

from apps.caching.write_behind import Buffer, Pending, Version, register_buffers, registry
from apps.caching.write_behind.layout import base, shard_of

MIXED = Pending(
    "k",
    Version(2, 7),
    {"price": b"1", "colour": b"red", "size": b"9"},
    older={"price": Version(1, 9), "colour": Version(2, 3)},
)


@pytest.mark.parametrize(
    ("row", "left"),
    [
        ((0, 0), {"price", "colour", "size"}),
        ((1, 8), {"price", "colour", "size"}),
        ((1, 9), {"colour", "size"}),
        ((2, 0), {"colour", "size"}),
        ((2, 3), {"size"}),
        ((2, 7), set()),
        ((3, 0), set()),
    ],
)
def test_a_row_lacks_the_fields_that_came_after_its_version(row, left):
    assert set(MIXED.beyond(row)) == left


def a_buffer(name: str = "things") -> Buffer:
    return Buffer(name, "catalog", apply=list, next_epoch=lambda: 1)


def test_a_key_is_always_on_the_same_shard_and_all_shards_are_used():
    buffer = a_buffer()
    found = [shard_of(buffer, f"key {number}") for number in range(200)]
    assert found == [shard_of(buffer, f"key {number}") for number in range(200)]
    assert set(found) == {0, 1, 2, 3}


def test_all_keys_of_a_buffer_have_one_hash_tag():
    assert "{things}" in base(a_buffer())


def test_a_name_is_declared_once(monkeypatch):
    monkeypatch.setattr(registry, "_buffers", {})
    one = a_buffer()
    register_buffers([one, one])
    with pytest.raises(ValueError, match="declared twice"):
        register_buffers([a_buffer()])
    assert registry.find_buffer("things") is one
