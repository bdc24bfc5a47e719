"""Files appear whole or not at all, and leave nothing behind."""

import errno
import os
import platform
import secrets
import stat
import subprocess
import sys
import zlib
from contextlib import nullcontext
from pathlib import Path

import pytest

from fairage._files import (
    atomic_folder,
    atomic_path,
    changed_files,
    file_hash,
    folder_hashes,
    given_path,
    new_folder,
    sync_files,
    write_text,
)
from fairage._locks import locked_folder
from fairage._partial_files import partial_files
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
from fairage._locks import locked_folder

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


def test_a_file_never_takes_the_place_of_a_device_or_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for target in (tmp_path / "pipe", tmp_path / "folder", Path()):
        with pytest.raises(DataError, match="expected a file to write"):
            write_text(target, "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize("fill", [atomic_path, atomic_folder])
def test_what_the_system_refuses_names_the_file_not_the_partial_one(fill, tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with pytest.raises(OSError, match=r"a\.txt") as error, fill(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert error.value.filename == str(target)
    with pytest.raises(FileNotFoundError, match=r"other\.txt"), fill(target):
        (tmp_path / "other.txt").read_text()


def test_a_home_folder_comes_after_what_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert given_path("~") == Path.home()
    assert given_path("~nobody-is-called-so/x") == Path("~nobody-is-called-so/x")
    (tmp_path / "~").mkdir()
    assert given_path("~") == Path("~")


def test_texts_that_are_no_utf8_are_written_with_escapes(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "s\udcff")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == r"s\udcff"


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


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What is put on the disk and renamed, in order, each by the end of its name."""
    found: list[tuple[str, str]] = []
    fsync, replace, rename = os.fsync, Path.replace, Path.rename

    def synced(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        found.append(("sync", path.name.rpartition(".")[2]))
        fsync(handle)

    def moved(move):
        def recorded(path: Path, to: Path) -> Path:
            found.append(("rename", to.name))
            return move(path, to)

        return recorded

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", moved(replace))
    monkeypatch.setattr(Path, "rename", moved(rename))
    return found


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads which file a handle is of")


@linux
def test_a_file_is_on_the_disk_before_it_has_its_name_and_the_name_after(
    steps: list[tuple[str, str]], tmp_path: Path
) -> None:
    write_text(tmp_path / "folder" / "a.txt", "whole")
    assert steps == [("sync", "txt"), ("rename", "a.txt"), ("sync", "folder")]


@linux
def test_a_folder_is_on_the_disk_with_all_in_it_before_it_has_its_name(
    steps: list[tuple[str, str]], tmp_path: Path
) -> None:
    with atomic_folder(tmp_path / "runs" / "model") as temporary:
        (temporary / "sub").mkdir()
        for name in ("one", "sub/two"):
            (temporary / name).write_text(name)
    assert {name for _, name in steps[:4]} == {"one", "two", "sub", "partial"}
    assert steps[4:] == [("rename", "model"), ("sync", "runs")]


@linux
def test_many_files_may_be_put_on_the_disk_in_one_go(
    steps: list[tuple[str, str]], tmp_path: Path
) -> None:
    paths = [tmp_path / "folder" / name for name in ("a.txt", "b.txt")]
    for path in paths:
        with atomic_path(path, sync=False) as temporary:
            temporary.write_text("whole")
    assert [step for step, _ in steps] == ["rename"] * 2
    sync_files(paths)
    assert steps[2:] == [("sync", "txt"), ("sync", "txt"), ("sync", "folder")]


@pytest.mark.parametrize(("number", "told"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_system_that_cannot_sync_folders_is_no_error_but_a_broken_disk_is(
    number: int, told: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def only_files(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", only_files)
    with pytest.raises(OSError, match="rror") if told else nullcontext():
        write_text(tmp_path / "a.txt", "whole")
    assert (tmp_path / "a.txt").read_text() == "whole"


def test_a_file_that_cannot_be_put_on_the_disk_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    write_text(tmp_path / "a.txt", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(tmp_path / "a.txt", "new")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_a_link_with_the_name_of_a_partial_file_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _: "guessed")
    (tmp_path / "theirs").write_text("theirs")
    host = f"{zlib.crc32(platform.node().encode()):08x}"
    (tmp_path / f".a.{host}guessed.partial.txt").symlink_to(tmp_path / "theirs")
    with pytest.raises(FileExistsError):
        write_text(tmp_path / "a.txt", "ours")
    assert (tmp_path / "theirs").read_text() == "theirs"


@pytest.mark.parametrize("end", ["partial", "old"])
def test_a_link_with_the_name_of_a_partial_folder_is_not_followed(end: str, tmp_path: Path) -> None:
    theirs, target = tmp_path / "theirs", tmp_path / "runs" / "model"
    theirs.mkdir()
    (theirs / "a").write_text("theirs")
    target.parent.mkdir()
    (target.parent / f".model.{end}").symlink_to(theirs)
    with atomic_folder(target) as temporary:
        (temporary / "a").write_text("ours")
    assert [path.read_text() for path in theirs.iterdir()] == ["theirs"]
    assert [path.read_text() for path in target.iterdir()] == ["ours"]
    assert list(target.parent.iterdir()) == [target]
    assert not target.is_symlink()


def test_new_files_have_the_rights_that_the_user_gives(tmp_path: Path) -> None:
    write_text(tmp_path / "atomic", "")
    (tmp_path / "plain").write_text("")
    modes = [(tmp_path / name).stat().st_mode for name in ("atomic", "plain")]
    assert modes[0] == modes[1]


def test_hashes_name_each_file_and_tell_what_is_not_as_it_was(tmp_path: Path) -> None:
    for name in ("a", "sub/b", "sub/c", "d"):
        write_text(tmp_path / name, name)
    told = folder_hashes(tmp_path)
    assert list(told) == ["a", "d", "sub/b", "sub/c"]
    assert changed_files(tmp_path, told) == []
    write_text(tmp_path / "sub" / "b", "B")
    write_text(tmp_path / "new", "of somebody else")
    (tmp_path / "d").unlink()
    assert changed_files(tmp_path, told) == ["d", "sub/b"]


def test_files_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "a")
    (told,) = folder_hashes(tmp_path).values()
    (tmp_path / "sub").mkdir()
    names = ["../a", str(tmp_path / "a")]
    assert changed_files(tmp_path / "sub", dict.fromkeys(names, told)) == names


def test_what_a_killed_writer_left_is_found_and_nothing_else(tmp_path: Path) -> None:
    others = [".a.txt", ".a.partial.txt", ".a.12345.partial.txt", "a.0123abcd.partial.txt", ".b"]
    for name in others:
        (tmp_path / name).write_text("of others")
    (tmp_path / ".dir.0123abcd.partial").mkdir()
    (tmp_path / ".link.0123abcd.partial.txt").symlink_to(tmp_path / ".b")
    for name in ("a.txt", "b.tar.gz", "noend"):
        script = f"held = atomic_path({str(tmp_path / name)!r}); held.__enter__(); os._exit(9)"
        command = [sys.executable, "-c", f"import os; from fairage._files import *; {script}"]
        assert subprocess.run(command, check=False).returncode == 9
    assert sorted(partial_files(tmp_path).values()) == ["a.txt", "b.tar.gz", "noend"]
    assert partial_files(tmp_path / "nowhere") == {}
