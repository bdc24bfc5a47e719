"""Writing files so that a reader never sees half of one, whenever the writer is killed."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fairage.exceptions import DataError

__all__ = ["atomic_path", "new_folder", "write_text"]


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
