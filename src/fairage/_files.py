"""Files and folders: written so that a reader never sees half of one; hashes, sealed JSON."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fairage._partial_files import new_partial, remove_abandoned
from fairage.exceptions import DataError, named_refusals


@contextmanager
def atomic_path(path: str | Path, *, sync: bool = True) -> Iterator[Path]:
    """Yield an empty file beside `path` to fill; on success it takes the place of `path` at once.

    The file's folder is made. Where the block raises, `path` keeps what it held before. What a
    killed writer of `path` left is removed.

    Args:
        path: The file to write.
        sync: Wait until it is on the disk, so that it is whole even where the power fails. Of many
            small files, leave it to one `sync_files`, and what killed writers left to one
            `remove_abandoned`.

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
    with named_refusals(path):
        _check_replaceable(path)
        if sync:
            remove_abandoned([path])
        with new_partial(path) as temporary:
            try:
                yield temporary
                if sync:
                    _sync(temporary)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
    if sync:
        _sync_folder(path.parent)


def _check_replaceable(path: Path) -> None:
    """Refuse a device or a pipe, whose place a file would take, and a folder."""
    if path.exists() and not path.is_file():
        raise DataError(
            f"expected a file to write, got {str(path)!r}, which is a folder or a device, "
            "give another path"
        )


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on success it takes the place of `path`.

    All that is in it is on the disk by then. Where the block raises, `path` keeps what it held
    before. What a killed writer left beside it is removed, but for what `path` held if there is
    nothing in its place yet: that is put back. Two writers of one folder need a lock, see
    `_locks.locked_folder`.

    Examples:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "sub" / "model"
        >>> with atomic_folder(target) as temporary:
        ...     _ = (temporary / "a.txt").write_text("whole")
        >>> [file.name for file in target.iterdir()]
        ['a.txt']
    """
    path = Path(path)
    new_folder(path.parent)
    settle_folder(path)
    temporary, old = _beside(path)
    _fresh_folder(temporary)
    try:
        with named_refusals(path):
            yield temporary
            _sync_tree(temporary)
            if path.is_dir() and not path.is_symlink():
                path.rename(old)
            temporary.rename(path)
            _sync_folder(path.parent)
    finally:
        settle_folder(path)


def settle_folder(path: Path) -> None:
    """Remove what a killed `atomic_folder` left beside `path`, or put back what `path` held.

    Nobody else may be writing `path`, see `locked_folder`.
    """
    temporary, old = _beside(path)
    if path.exists() or old.is_symlink():
        _remove(old)
    elif old.exists():
        old.rename(path)
    _remove(temporary)


def _beside(path: Path) -> tuple[Path, Path]:
    """Return where the new folder is written, and where the old one waits to be removed."""
    return path.with_name(f".{path.name}.partial"), path.with_name(f".{path.name}.old")


def _remove(path: Path) -> None:
    """Remove a folder if it is there; of a link, the link alone."""
    if path.is_symlink():
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def _fresh_folder(path: Path) -> None:
    try:
        path.mkdir()
    except OSError as error:
        raise _not_writable(path, error) from error


_AT_ONCE = 8  # the disk writes once what many threads wait for


def sync_files(paths: Iterable[Path]) -> None:
    """Wait until files, and their names in their folders, are on the disk.

    Examples:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.txt"
        >>> with atomic_path(path, sync=False) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> sync_files([path])
    """
    paths = list(paths)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(_sync, paths))
    for folder in {path.parent for path in paths}:
        _sync_folder(folder)


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            _sync_folder(path)
        else:
            _sync(path)
    _sync_folder(folder)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_NO_FOLDERS = {errno.EACCES, errno.EINVAL, errno.EISDIR, errno.ENOTSUP, errno.EPERM}


def _sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk, on systems that can say so."""
    try:
        _sync(path)
    except OSError as error:
        if error.errno not in _NO_FOLDERS:
            raise


def given_path(path: str | Path) -> Path:
    """Return a path as it was given; `~` is the home folder where no file is called so.

    Examples:
        >>> given_path("a[1]/*").as_posix()
        'a[1]/*'
    """
    path = Path(path)
    try:
        return path if os.path.lexists(path) else path.expanduser()
    except RuntimeError:  # nobody's home
        return path


def new_folder(path: str | Path) -> Path:
    """Make the folder and its parents if they are not there, and return it."""
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(path, error) from error
    return path


def _not_writable(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"expected a folder that can be written, got {str(folder)!r} ({error.strerror}), "
        "give another path"
    )


def write_text(path: str | Path, text: str) -> None:
    """Write a whole text file (UTF-8) at once; what UTF-8 does not hold becomes an escape."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


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


def folder_hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file beneath a folder, by its path from there, in order.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_text(folder / "sub" / "a.txt", "whole")
        >>> {path: digest[:8] for path, digest in folder_hashes(folder).items()}
        {'sub/a.txt': '5d5766cf'}
    """
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return {name: _sha256(path) for name, path in sorted(paths.items()) if path.is_file()}


def changed_files(folder: Path, hashes: Mapping[str, str]) -> list[str]:
    """Return the paths of `hashes` that are missing in the folder, unreadable or other files.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_text(folder / "a.txt", "whole")
        >>> hashes = folder_hashes(folder)
        >>> write_text(folder / "a.txt", "whale")
        >>> changed_files(folder, {**hashes, "b.txt": ""})
        ['a.txt', 'b.txt']
    """
    return [name for name, digest in hashes.items() if not _is_same(folder, name, digest)]


def _is_same(folder: Path, name: str, digest: str) -> bool:
    path = folder / name
    inside = ".." not in path.parts and path.is_relative_to(folder)
    try:
        return inside and path.is_file() and _sha256(path) == digest
    except OSError:
        return False


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path: Path) -> Any:  # noqa: ANN401  # whatever stands in it
    """Return what a JSON file holds.

    Raises:
        ValueError: It is no JSON in UTF-8, or nests too deep.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


_SEAL = "hash"


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what goes into a JSON file, with a hash of it under the key `hash`.

    Examples:
        >>> is_sealed(sealed({"age": 31})), is_sealed({**sealed({"age": 31}), "age": 37})
        (True, False)
    """
    return {**content, _SEAL: _hash_without_seal(content)}


def is_sealed(content: object) -> bool:
    """Whether this came out of a JSON file as `sealed` returned it."""
    return isinstance(content, dict) and content.get(_SEAL) == _hash_without_seal(content)


def _hash_without_seal(content: Mapping[str, Any]) -> str:
    hashed = {name: value for name, value in content.items() if name != _SEAL}
    return hash_of(json.dumps(hashed, sort_keys=True))
