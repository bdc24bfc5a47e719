"""Files: written so that a reader never sees half of one, and hashed."""

import hashlib
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fairage.exceptions import DataError

__all__ = ["atomic_folder", "atomic_path", "file_hash", "new_folder", "write_text"]


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

    What a killed writer left beside it is removed. Where the block raises, `path` keeps what it
    held before.

    Examples:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "sub" / "model"
        >>> with atomic_folder(target) as temporary:
        ...     _ = (temporary / "a.txt").write_text("whole")
        >>> [file.name for file in target.iterdir()]
        ['a.txt']
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    new_folder(temporary)
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


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


def file_hash(paths: Iterable[Path]) -> str:
    """Return a hash of what these files hold, in this order, whatever their names.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.txt"
        >>> write_text(path, "whole")
        >>> file_hash([path])
        'afc56c4cb0f247222f9820909eaa53a1'
    """
    told = hashlib.blake2b(digest_size=16)
    for path in paths:
        with path.open("rb") as file:
            told.update(hashlib.file_digest(file, "blake2b").digest())
    return told.hexdigest()
