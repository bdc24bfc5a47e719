"""Files: written so that a reader never sees half of one, and hashed; folders, locked."""

import hashlib
import secrets
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from fairage.exceptions import ConfigError, DataError

LOCK = ".fairage.lock"


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it takes the place of `path` at once.

    The file's folder is made. Where the block raises, `path` keeps what it held before.

    Examples:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "sub" / "a.txt"
        >>> with atomic_path(target) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> target.read_text()
        'whole'
    """
    path = Path(path)
    new_folder(path.parent)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}.partial{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on success it takes the place of `path`.

    Where the block raises, `path` keeps what it held before. What a killed writer left beside it
    is removed, but for what `path` held if there is nothing in its place yet: that is put back.
    Two writers of one folder need a lock, see `locked_folder`.

    Examples:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "sub" / "model"
        >>> with atomic_folder(target) as temporary:
        ...     _ = (temporary / "a.txt").write_text("whole")
        >>> [file.name for file in target.iterdir()]
        ['a.txt']
    """
    path = Path(path)
    temporary, old = (path.with_name(f".{path.name}.{end}") for end in ("partial", "old"))
    _settle(old, path)
    shutil.rmtree(temporary, ignore_errors=True)
    new_folder(temporary)
    try:
        yield temporary
        if path.is_dir() and not path.is_symlink():
            path.rename(old)
        temporary.rename(path)
    finally:
        _settle(old, path)
        shutil.rmtree(temporary, ignore_errors=True)


def _settle(old: Path, path: Path) -> None:
    """Put the folder that was moved away back where nothing took its place, else remove it."""
    if path.exists():
        shutil.rmtree(old, ignore_errors=True)
    elif old.exists():
        old.rename(path)


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


def new_folder(path: str | Path) -> Path:
    """Make the folder and its parents if they are not there, and return it."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"expected a folder that can be written, got {str(path)!r} ({error.strerror}), "
            "give another path"
        ) from error
    return path


def write_text(path: str | Path, text: str) -> None:
    """Write a whole text file (UTF-8) at once."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def hash_of(*parts: str | bytes | memoryview, size: int = 16) -> str:
    """Return the hash, of `size` bytes, of texts and bytes that follow on one another.

    It is the one that caches, checkpoints and results are known by.

    Examples:
        >>> hash_of("age", size=8), hash_of(b"a", "ge", size=8)
        ('dbe7195fbcf8af7e', 'dbe7195fbcf8af7e')
    """
    digest = hashlib.blake2b(digest_size=size)
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
    return digest.hexdigest()


def file_hash(paths: Iterable[Path]) -> str:
    """Return a hash of what these files hold, in this order, whatever their names.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.txt"
        >>> write_text(path, "whole")
        >>> file_hash([path])
        'afc56c4cb0f247222f9820909eaa53a1'
    """
    return hash_of(*map(_digest, paths))


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()
