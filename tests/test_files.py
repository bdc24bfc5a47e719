"""Files appear whole or not at all, and leave nothing behind."""

from pathlib import Path

import pytest

from fairage.exceptions import DataError
from fairage.files import atomic_folder, atomic_path, file_hash, new_folder, write_text


def fail_halfway(target: Path) -> None:
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        raise InterruptedError


def test_a_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(InterruptedError):
        fail_halfway(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_the_target_is_not_touched_before_the_end(tmp_path: Path) -> None:
    target = tmp_path / "sub" / "a.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".txt"
        assert not target.exists()
    assert target.read_text() == "new"


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="expected a folder that can be written"):
        new_folder(tmp_path / "file" / "sub")


def test_hashes_of_stored_embeddings_stay_as_they_were(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "weights").write_bytes(b"abc" * 1000)
    found = file_hash([tmp_path / "config.json", tmp_path / "weights"])
    assert found == "ec67edc52d93fe780dc708a34db827bb"
    assert file_hash([tmp_path / "weights", tmp_path / "config.json"]) != found


def test_a_folder_takes_the_place_of_an_older_one_and_of_what_a_killed_writer_left(
    tmp_path: Path,
) -> None:
    target, left = tmp_path / "sub" / "model", tmp_path / "sub" / ".model.partial"
    for folder in (target, left):
        folder.mkdir(parents=True)
        (folder / "old").write_text("old")
    with atomic_folder(target) as temporary:
        assert list(temporary.iterdir()) == []
        (temporary / "new").write_text("new")
        assert (target / "old").exists()
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list((tmp_path / "sub").iterdir()) == [target]


def test_a_writer_of_a_folder_that_fails_leaves_the_old_one_and_nothing_else(
    tmp_path: Path,
) -> None:
    def fail() -> None:
        with atomic_folder(tmp_path / "model") as temporary:
            (temporary / "half").write_text("half")
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert list(tmp_path.iterdir()) == []
    with atomic_folder(tmp_path / "model") as temporary:
        (temporary / "whole").write_text("whole")
    with pytest.raises(InterruptedError):
        fail()
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["whole"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
