"""Folders that one command at a time works in, and what killed commands left half done."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fairage._files import new_folder
from fairage.exceptions import ConfigError, DataError

LOCK = ".fairage.lock"


@contextmanager
def locked_folder(path: str | Path) -> Iterator[None]:
    """Keep other commands out of the folder, which is made, while the block runs.

    SQLite locks the file `LOCK` in it, on Windows too; the lock goes with the process, however it
    ends, and the file stays.

    Raises:
        ConfigError: Another command is at work in the folder.
        DataError: The folder cannot be written.
    """
    folder = new_folder(path)
    if (folder / LOCK).is_symlink():
        raise DataError(f"expected no link at {str(folder / LOCK)!r}, got one, remove it")
    try:
        lock = sqlite3.connect(folder / LOCK, timeout=0, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise _not_lockable(folder, error) from error
    with closing(lock):
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            raise _not_lockable(folder, error) from error
        yield


def _not_lockable(folder: Path, error: sqlite3.DatabaseError) -> ConfigError | DataError:
    if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:  # the rest are details of it
        return ConfigError(
            f"expected no other command at work in {str(folder)!r}, got one, wait for it or give "
            "another --out"
        )
    return DataError(
        f"expected a folder in which {LOCK} can be written and locked, got {str(folder)!r} "
        f"({error}), give another path"
    )


_SCRATCH, _INSIDE = "fairage-", "scratch"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder that is removed at the end.

    It is locked: those of the same user that are not any more, as their command was killed, are
    removed first.

    Examples:
        >>> with scratch_folder() as folder:
        ...     list(folder.iterdir())
        []
        >>> folder.exists()
        False
    """
    parent = Path(tempfile.gettempdir())
    for path in parent.glob(f"{_SCRATCH}*"):
        _remove_if_dead(path)
    own = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
    try:
        with locked_folder(own):
            inside = own / _INSIDE  # made once it is locked: what lacks it may not be locked yet
            inside.mkdir()
            yield inside
    finally:
        shutil.rmtree(own, ignore_errors=True)


def _remove_if_dead(path: Path) -> None:
    try:
        mine = not hasattr(os, "getuid") or path.lstat().st_uid == os.getuid()
        if not mine or path.is_symlink() or not (path / LOCK).is_file():
            return
        if not (path / _INSIDE).is_dir():
            return
        with locked_folder(path):
            shutil.rmtree(path / _INSIDE, ignore_errors=True)
    except (ConfigError, DataError, OSError):
        return  # at work, or gone meanwhile
    shutil.rmtree(path, ignore_errors=True)
