"""The store loses nothing, believes nothing damaged, and bears several writers."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairage.embeddings import store as store_module
from fairage.embeddings.store import (
    DamagedShardError,
    EmbeddingStore,
    Shard,
    content_key,
    read_shard,
)
from fairage.exceptions import DataError

ABOUT = {"weights": "w", "view": "whole"}


def key(number: int) -> bytes:
    return content_key(str(number).encode())


def row(*numbers: int) -> np.ndarray:
    return np.array([[number, number / 3] for number in numbers], dtype=np.float32)


def opened(root: Path) -> EmbeddingStore:
    store = EmbeddingStore(root, ABOUT)
    store.load()
    return store


@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=20, unique=True))
def test_a_shard_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, keys: list[bytes]
) -> None:
    values = np.random.default_rng(0).normal(size=(len(keys), 3)).astype(np.float32)
    found = read_shard(Shard(keys, values).write(tmp_path_factory.mktemp("shard")))
    assert found.keys == keys
    np.testing.assert_array_equal(found.values, values)


def test_every_changed_byte_of_a_shard_is_noticed(tmp_path: Path) -> None:
    path = Shard([key(1)], row(1)).write(tmp_path)
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        try:
            found = read_shard(path)
        except DamagedShardError:
            continue
        assert found.keys == [key(1)], f"byte {place}"
        np.testing.assert_array_equal(found.values, row(1))


def test_a_new_store_object_sees_what_another_added(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.add([key(1), key(2)], row(1, 2))
    first.add([key(3)], row(3))
    again = opened(tmp_path)
    assert len(again) == 3
    np.testing.assert_array_equal(again.values([key(3), key(1)]), row(3, 1))
    assert key(4) not in again


def test_what_was_read_is_read_again_only_where_something_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(tmp_path).add([key(1)], row(1))
    store, read = opened(tmp_path), []
    monkeypatch.setattr(
        store_module, "read_shard", lambda path: read.append(path) or read_shard(path)
    )
    store.load()
    assert (len(store), read) == (1, [])
    opened(tmp_path).add([key(2)], row(2))
    read.clear()
    store.load()
    assert (len(store), read) == (2, store.shards())


def test_other_configurations_do_not_mix(tmp_path: Path) -> None:
    opened(tmp_path).add([key(1)], row(1))
    other = EmbeddingStore(tmp_path, {**ABOUT, "view": "crop:0.7"})
    other.load()
    assert len(other) == 0


@pytest.mark.parametrize("damage", [b"", b"not a shard", None])
def test_a_damaged_shard_is_set_aside(tmp_path: Path, damage: bytes | None) -> None:
    store = opened(tmp_path)
    store.add([key(1)], row(1))
    (path,) = store.shards()
    store.add([key(2)], row(2))
    path.write_bytes(path.read_bytes()[:-3] if damage is None else damage)
    with pytest.warns(UserWarning, match="set aside"):
        again = opened(tmp_path)
    assert key(1) not in again
    assert key(2) in again
    assert len(opened(tmp_path)) == 1, "a second look finds nothing damaged any more"


def test_half_written_files_are_not_read(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add([key(1)], row(1))
    (store.folder / ".abc.1234.partial.safetensors").write_bytes(b"half")
    assert len(opened(tmp_path)) == 1


def test_two_writers_of_the_same_image_agree_on_one(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.add([key(1)], row(1))
    second.add([key(1)], row(5))
    found = opened(tmp_path).values([key(1)])
    np.testing.assert_array_equal(opened(tmp_path).values([key(1)]), found)


def test_many_shards_are_merged_and_nothing_is_lost(tmp_path: Path) -> None:
    store = opened(tmp_path)
    for number in range(70):
        store.add([key(number)], row(number))
    store.merge()
    assert len(store.shards()) == 1
    wanted = row(*range(70))
    np.testing.assert_array_equal(opened(tmp_path).values([key(n) for n in range(70)]), wanted)


def test_merging_keeps_what_others_add_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = opened(tmp_path), opened(tmp_path)
    for number in range(64):
        store.add([key(number)], row(number))
    union = store_module._union

    def slow_union(shards: object) -> object:
        found = union(shards)
        other.add([key(100)], row(100))
        return found

    monkeypatch.setattr(store_module, "_union", slow_union)
    store.merge()
    monkeypatch.undo()
    assert len(opened(tmp_path)) == 65


def test_a_reader_looks_again_when_shards_are_merged_under_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path)
    for number in range(64):
        store.add([key(number)], row(number))
    read, first = store_module.read_shard, [True]

    def merging_read(path: Path) -> Shard:
        if first:
            first.clear()
            store.merge()
        return read(path)

    monkeypatch.setattr(store_module, "read_shard", merging_read)
    assert len(opened(tmp_path)) == 64


def test_what_killed_writers_left_goes_when_nobody_can_be_writing_it(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.add([key(1)], row(1))
    names = [".0123456789abcdef.01234567.partial.safetensors", ".about.01234567.partial.json"]
    others = [".about.01234567.partial.txt", ".mine.partial.safetensors"]
    for name in (*names, *others):
        (store.folder / name).write_bytes(b"half")
    store.merge()
    assert all((store.folder / name).exists() for name in (*names, *others))
    for name in (*names, *others):
        os.utime(store.folder / name, (0, 0))
    store.merge()
    assert not any((store.folder / name).exists() for name in names)
    assert all((store.folder / name).exists() for name in others)
    assert len(opened(tmp_path)) == 1


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_embeddings_that_are_not_finite_are_neither_stored_nor_believed(
    tmp_path: Path, wrong: float
) -> None:
    store = opened(tmp_path)
    with pytest.raises(DataError, match="expected finite embeddings"):
        store.add([key(1)], np.array([[1, wrong]], dtype=np.float32))
    assert not store.shards()
    store.add([key(1)], row(1))
    Shard([key(2)], np.array([[1, wrong]], dtype=np.float32)).write(store.folder)
    with pytest.warns(UserWarning, match=r"expected finite embeddings, got others.*set aside"):
        again = opened(tmp_path)
    assert key(1) in again
    assert key(2) not in again
