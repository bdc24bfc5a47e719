"""Every error that fairage raises on purpose.

FairageError
├── ConfigError             a recipe, an option or a name that is not known
├── DataError               a table, image or folder is not as expected (also a ValueError)
└── MissingDependencyError  an optional package is not installed (also an ImportError)

What the system refuses is an OSError; `refusal` puts it into words.
"""

import errno
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Self


class FairageError(Exception):
    """Base of all errors that fairage raises on purpose; its message says what to do."""

    def at(self, where: str) -> Self:
        """Return the same error with where it occurred in front.

        Examples:
            >>> print(DataError("expected two groups, got one, name others").at("gap, seed 0"))
            gap, seed 0: expected two groups, got one, name others
        """
        return type(self)(f"{where}: {self}")


class ConfigError(FairageError):
    """A setting or a name is not one that fairage knows."""

    @classmethod
    def unknown_name(cls, kind: str, got: object, known: Iterable[str]) -> "ConfigError":
        """Return the error for a name that is not among the known ones, with the nearest of them.

        Examples:
            >>> print(ConfigError.unknown_name("weighting", "2bb", ["1a", "2b"]))
            weighting must be one of ['1a', '2b']; got '2bb'. Did you mean '2b'?
        """
        names = sorted(known)
        near = get_close_matches(str(got), names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return cls(f"{kind} must be one of {names}; got {got!r}.{hint}")


class DataError(FairageError, ValueError):
    """Data is not as expected; the message names the row and the column where it can."""


class MissingDependencyError(FairageError, ImportError):
    """An optional package is needed and is not installed."""

    @classmethod
    def for_extra(cls, package: str, extra: str) -> "MissingDependencyError":
        """Return the error that names the extra to install for a missing package.

        Examples:
            >>> print(MissingDependencyError.for_extra("torch", "train"))
            expected the package 'torch', got none installed, run: pip install 'fairage[train]'
        """
        return cls(
            f"expected the package {package!r}, got none installed, "
            f"run: pip install 'fairage[{extra}]'"
        )

    @classmethod
    def of(cls, error: ModuleNotFoundError) -> "ModuleNotFoundError | MissingDependencyError":
        """Return the error that names the extra of a package which an import did not find.

        A module that no extra brings is somebody's mistake: the error comes back as it is.
        """
        extra = EXTRAS.get(error.name or "")
        return error if extra is None else cls.for_extra(str(error.name), extra)


EXTRAS = {
    **dict.fromkeys(
        (
            *("huggingface_hub", "kornia", "onnx", "optuna", "safetensors", "sklearn", "torch"),
            "transformers",
        ),
        "train",
    ),
    **dict.fromkeys(("PIL", "cv2", "onnxruntime"), "predict"),
    **dict.fromkeys(("pooch", "tqdm"), "download"),
    "pillow_heif": "heic",
    "fastexcel": "excel",
    "onnxscript": "train",
}
"""The extra that brings a package, by the name that is imported."""


_FULL = "room on the disk", "free some, or use another disk, and run the command again"
_PERMITTED = "permission to use it", "change its permissions or give another path"
_LINKS = "links that lead to a file or folder", "mend the link or give another path"
_REFUSALS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: ("that large files may be written", "raise the limit (ulimit -f) and run again"),
    errno.EACCES: _PERMITTED,
    errno.EPERM: _PERMITTED,
    errno.EROFS: ("a disk that can be written", "give a path on another"),
    errno.ELOOP: _LINKS,
    errno.ENOENT: ("a file or folder", "check the path"),
    errno.ENOTDIR: ("a path through folders", "give another path"),
    errno.EISDIR: ("a file", "give another path"),
    errno.EEXIST: ("a folder", "give another path"),
    errno.ENAMETOOLONG: ("a shorter name", "give another path"),
    errno.EIO: ("a disk that can be read and written", "mend that and run the command again"),
    errno.EMFILE: ("fewer open files", "raise the limit (ulimit -n) and run again"),
}


def refusal(error: OSError) -> str:
    """Return what the system refused as one sentence: what was expected, what came, what to do.

    Examples:
        >>> refusal(OSError(errno.ENOSPC, "No space left on device", "a.csv"))  # doctest: +ELLIPSIS
        "expected room on the disk, got 'a.csv' (No space left on device), free some, ..."
    """
    expected, do = _REFUSALS.get(
        error.errno or 0, ("that the system does what is asked", "mend that and run again")
    )
    reason = error.strerror or str(error) or type(error).__name__
    path = error.filename
    if path is None:
        return f"expected {expected}, got: {reason}, {do}"
    return f"expected {expected}, got {os.fsdecode(path)!r} ({reason}), {do}"


UNFINISHED = ".partial"
"""What is in the name of a file or folder that is being written."""

_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # how libraries in Rust end such a message


@contextmanager
def named_refusals(path: str | Path, *kinds: type[Exception]) -> Iterator[None]:
    """Have what the system refuses while `path` is written be an OSError that names it.

    Args:
        path: The file or folder.
        kinds: Errors of libraries that may stand for one of the system.

    Examples:
        >>> with named_refusals("a.parquet", RuntimeError):
        ...     raise RuntimeError("No space left on device (os error 28)")
        Traceback (most recent call last):
        OSError: [Errno 28] No space left on device: 'a.parquet'
    """
    expected: tuple[type[Exception], ...] = (OSError, *kinds)
    try:
        yield
    except expected as error:
        named = getattr(error, "filename", None)
        if named is not None and UNFINISHED not in os.fsdecode(named):
            raise
        code, text = getattr(error, "errno", None), getattr(error, "strerror", None)
        if match := _OS_ERROR.search(str(error)):
            code, text = int(match[1]), os.strerror(int(match[1]))
        if code is None and type(error) is not OSError:
            raise
        raise OSError(code or errno.EIO, text or str(error), str(path)) from error
