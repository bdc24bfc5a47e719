"""Files appear whole or not at all, and leave nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from fairage._files import (
    atomic_folder,
    atomic_path,
    file_hash,
    locked_folder,
    new_folder,
    write_text,
)
from fairage.exceptions import ConfigError, DataError

KILLED_BETWEEN = """
import os, sys
from pathlib import Path
from fairage._files import atomic_folder

rename = Path.rename
Path.rename = lambda path, to: os._exit(9) if path.suffix == ".partial" else rename(path, to)
with atomic_folder(sys.argv[1]) as partial:
    (partial / "new").write_text("new")
"""
HOLDING = """
import sys
from fairage._files import locked_folder

with locked_folder(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


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


def test_a_writer_killed_between_old_and_new_folder_loses_neither_for_good(tmp_path: Path) -> None:
    target = tmp_path / "model"
    with atomic_folder(target) as temporary:
        (temporary / "old").write_text("old")
    done = subprocess.run([sys.executable, "-c", KILLED_BETWEEN, target], check=False)
    assert done.returncode == 9
    assert not target.exists()
    assert [path.name for path in (tmp_path / ".model.old").iterdir()] == ["old"]

    def fail() -> None:
        with atomic_folder(target):
            assert [path.name for path in target.iterdir()] == ["old"]
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_an_old_folder_whose_removal_was_cut_short_is_removed(tmp_path: Path) -> None:
    for name in ("model", ".model.old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text("")
    with atomic_folder(tmp_path / "model") as temporary:
        (temporary / "new").write_text("new")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]


def test_a_new_folder_that_cannot_take_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, rename = tmp_path / "model", Path.rename
    with atomic_folder(target) as temporary:
        (temporary / "old").write_text("old")

    def renamed(path: Path, to: Path) -> Path:
        if path.suffix == ".partial":
            raise PermissionError
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", renamed)
    with pytest.raises(PermissionError), atomic_folder(target) as temporary:
        (temporary / "new").write_text("new")
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_lock_keeps_other_processes_out_until_its_own_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    command = [sys.executable, "-c", HOLDING, folder]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(ConfigError, match="no other command at work"), locked_folder(folder):
            pass
        holder.kill()
        holder.wait()
    with locked_folder(folder):
        pass


def test_a_folder_that_cannot_be_locked_says_so(tmp_path: Path) -> None:
    (tmp_path / ".fairage.lock").mkdir()
    with pytest.raises(DataError, match=r"\.fairage\.lock can be written"), locked_folder(tmp_path):
        pass
