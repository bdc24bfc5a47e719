"""Partial files: what is written beside its place, and what killed writers left of it there.

Who writes holds a lock on the file, which goes with the process.
"""

import os
import platform
import re
import secrets
import shutil
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fairage.exceptions import UNFINISHED

if sys.platform != "win32":
    import fcntl

_PARTIAL = re.compile(rf"\.(.+)\.([0-9a-f]{{8}})?[0-9a-f]{{8}}{re.escape(UNFINISHED)}(\.[^.]+)?")
_SHOWN = 50  # characters of a name: a partial file's has more than its own
_DEAD_SECONDS = 3600.0


@contextmanager
def new_partial(path: Path) -> Iterator[Path]:
    """Yield a new file beside `path`, no link to somewhere else, that stays locked meanwhile."""
    while True:
        code = _host() + secrets.token_hex(4)
        temporary = path.with_name(f".{path.stem[:_SHOWN]}.{code}{UNFINISHED}{path.suffix}")
        handle = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        lock_opened(handle, wait=True)
        if temporary.exists():
            break
        os.close(handle)  # it was taken for a leftover before it was locked
    if sys.platform == "win32":  # nothing that is open can be renamed there
        os.close(handle)
        yield temporary
        return
    try:
        yield temporary
    finally:
        os.close(handle)


def folder_of(partial: Path) -> Path:
    """Return where the folder of a partial file is, if it has one; it goes with the file."""
    return partial.with_name(f"{partial.name}.files")


def _host() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


def partial_files(folder: Path) -> dict[Path, str]:
    """Return the partial files in a folder, each with the name it is to get.

    Of that name the part before the suffix is cut after 50 characters. Where no writer is at work,
    they are what killed ones left.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with new_partial(folder / "a.txt"):
        ...     list(partial_files(folder).values())
        ['a.txt']
    """
    matches = {path: _PARTIAL.fullmatch(path.name) for path in sorted(folder.glob(".*"))}
    return {
        path: match[1] + (match[3] or "")
        for path, match in matches.items()
        if match and path.is_file() and not path.is_symlink()
    }


def remove_abandoned(paths: Iterable[Path]) -> None:
    """Remove what killed writers of these files left beside them; writers at work keep theirs."""
    names: dict[Path, set[str]] = {}
    for path in paths:
        names.setdefault(path.parent, set()).add(path.stem[:_SHOWN] + path.suffix)
    for folder, own in names.items():
        remove_leftovers(folder, own.__contains__)


def remove_leftovers(folder: Path, ours: Callable[[str], bool]) -> None:
    """Remove the partial files that killed writers left in a folder where others may be at work.

    A writer of this machine is gone where its file is not locked any more; of another machine, or
    on a disk without locks, where nobody has written to it for an hour.

    Args:
        folder: The folder.
        ours: Whether a file of this name, as `partial_files` has it, is one to remove.
    """
    for path, name in partial_files(folder).items():
        if ours(name):
            _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return  # it is whole by now, or somebody else's
    try:
        old = time.time() - os.fstat(handle).st_mtime > _DEAD_SECONDS
        match = _PARTIAL.fullmatch(path.name)
        here = match is not None and match[2] == _host()
        locked = lock_opened(handle, wait=False) if here else None
        folder = folder_of(path)
        if locked or (locked is None and old and not folder.exists()):
            if not folder.is_symlink():
                shutil.rmtree(folder, ignore_errors=True)
            path.unlink(missing_ok=True)  # while it is locked: a writer that waits looks again
    finally:
        os.close(handle)


def lock_opened(handle: int, *, wait: bool) -> bool | None:
    """Return whether the open file is locked now, None where there are no locks."""
    if sys.platform == "win32":
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True
