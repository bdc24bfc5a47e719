"""Folders that one command at a time works in, and what killed commands left half done."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fairage._files import new_folder
from fairage._partial_files import folder_of, new_partial, remove_leftovers
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


_SCRATCH = "fairage-scratch"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Yield an empty folder that is removed at the end.

    A locked file beside it says that its command is at work; the folders of the same user whose
    command was killed are removed first. Where files cannot be locked (Windows) they stay.

    Examples:
        >>> with scratch_folder() as folder:
        ...     list(folder.iterdir())
        []
        >>> folder.exists()
        False
    """
    parent = Path(tempfile.gettempdir())
    remove_leftovers(parent, _SCRATCH.__eq__)
    with new_partial(parent / _SCRATCH) as lock:
        folder = folder_of(lock)
        try:
            folder.mkdir(mode=0o700)
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            lock.unlink(missing_ok=True)
