"""What killed commands left: found and removed at once, and nothing of those that are at work."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fairage._files import atomic_path
from fairage._locks import LOCK, locked_folder, scratch_folder
from fairage._partial_files import partial_files, remove_leftovers
from fairage.exceptions import DataError

WRITING = """
import sys
from fairage._files import atomic_path

with atomic_path(sys.argv[1]) as temporary:
    temporary.write_text("half")
    print(temporary, flush=True)
    sys.stdin.read()
"""
SCRATCHING = """
import sys, tempfile
from fairage._locks import scratch_folder

with scratch_folder() as folder:
    (folder / "faces").write_text("half")
    print(folder, flush=True)
    sys.stdin.read()
"""


@contextmanager
def at_work(script: str, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A process in the middle of its work, and what it has made there."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, Path(process.stdout.readline().strip())
        process.kill()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()


def anything(_: str) -> bool:
    return True


def test_a_partial_file_goes_as_soon_as_its_writer_is_dead(tmp_path: Path) -> None:
    with at_work(WRITING, tmp_path / "a.txt") as (process, half):
        remove_leftovers(tmp_path, anything)
        assert half.read_text() == "half"
        end(process)
        remove_leftovers(tmp_path, lambda name: name != "a.txt")
        assert half.exists(), "of others"
        remove_leftovers(tmp_path, anything)
        assert not half.exists()


def test_a_slow_writer_of_this_machine_keeps_its_file(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.txt") as half:
        os.utime(half, (0, 0))
        remove_leftovers(tmp_path, anything)
        assert list(partial_files(tmp_path)) == [half]
    assert (tmp_path / "a.txt").exists()


def test_a_partial_file_of_another_machine_goes_when_it_is_an_hour_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with at_work(WRITING, tmp_path / "a.txt") as (process, half):
        end(process)
        monkeypatch.setattr("platform.node", lambda: "another")
        remove_leftovers(tmp_path, anything)
        assert half.exists()
        os.utime(half, (0, 0))
        remove_leftovers(tmp_path, anything)
        assert not half.exists()


def test_a_writer_whose_new_file_was_taken_for_a_leftover_makes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fairage import _partial_files

    lock, seen = _partial_files.lock_opened, []

    def late(handle: int, *, wait: bool) -> bool | None:
        seen.extend(partial_files(tmp_path))
        if len(seen) == 1:
            seen[0].unlink()  # as by another command, between making and locking
        return lock(handle, wait=wait)

    monkeypatch.setattr(_partial_files, "lock_opened", late)
    with atomic_path(tmp_path / "a.txt") as half:
        half.write_text("whole")
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert len(seen) == 2


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where scratch folders are made, here and in other processes."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_a_scratch_folder_goes_with_its_command_or_with_the_next_one(scratch: Path) -> None:
    with at_work(SCRATCHING) as (process, left):
        assert left.is_relative_to(scratch)
        with scratch_folder() as own:
            assert (left / "faces").exists(), "its command is at work"
            assert own.is_relative_to(scratch)
        assert left in scratch.iterdir()
        assert len(list(scratch.iterdir())) == 2
        end(process)
        with scratch_folder():
            assert not left.exists()
    assert list(scratch.iterdir()) == []


def test_a_command_that_is_killed_before_it_made_its_folder_leaves_nothing(scratch: Path) -> None:
    with at_work(SCRATCHING) as (process, left):
        end(process)
    (left / "faces").unlink()
    left.rmdir()  # as before its `mkdir`, and after its `rmtree`
    assert len(list(scratch.iterdir())) == 1
    with scratch_folder():
        pass
    assert list(scratch.iterdir()) == []


def test_folders_of_others_stay(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "faces").touch()
    with at_work(SCRATCHING) as (process, left):
        end(process)
    (left / "faces").unlink()
    left.rmdir()
    left.symlink_to(outside)
    others = ["fairage-file", "fairage-notes", left.name]
    (scratch / "fairage-notes").mkdir()
    (scratch / "fairage-file").touch()
    with scratch_folder():
        pass
    assert sorted(path.name for path in scratch.iterdir()) == sorted(others)
    assert (outside / "faces").is_file()


def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / LOCK).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="no link"), locked_folder(tmp_path):
        pass
    assert not (tmp_path / "elsewhere").exists()
