"""Fetching one large file over HTTP: goes on where it stopped, tries again, checks what it got."""

import errno
import hashlib
import json
import time
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from fairage._files import new_folder, write_text
from fairage._work import progress_bar
from fairage.exceptions import DataError

_CHUNK = 2**18
_PARTIAL, _RANGE_NOT_SATISFIABLE = 206, 416
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})
_KINDS = ("md5", "sha1", "sha256", "sha512")


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for.

    Args:
        attempts: Attempts in a row that bring nothing new, after which it is given up.
        wait: Seconds before the second attempt; each later one waits twice as long.
        timeout: Seconds without a byte after which an attempt has failed.
    """

    attempts: int = 4
    wait: float = 1.0
    timeout: float = 30.0


@dataclass(frozen=True)
class _Edition:
    """How a server names one state of a file (for `If-Range`), and its size in bytes."""

    validator: str = ""
    total: int = 0


class _InterruptedError(Exception):
    """An attempt ended early, in a way that another attempt may mend."""


def fetch(url: str, target: str | Path, *, patience: Patience | None = None) -> Path:
    """Download a URL to a file and return its path; the file appears when it is complete.

    Until then the bytes are in `TARGET.part`, and the next call goes on from there, if the server
    can do so and the file has not changed.

    Raises:
        DataError: The server cannot be reached, does not have the file or keeps breaking off.
    """
    target, patience = Path(target), patience or Patience()
    if target.is_file():
        return target
    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"expected an http(s) address, got {url!r}, correct it")
    new_folder(target.parent)
    part = target.with_name(target.name + ".part")
    failures, most = 0, _size(part)
    while True:
        try:
            _attempt(url, part, patience.timeout)
            break
        except _InterruptedError as error:
            failures = 1 if _size(part) > most else failures + 1
            most = max(most, _size(part))
            if failures >= patience.attempts:
                raise _given_up(url, target, part, error) from error
            time.sleep(patience.wait * 2 ** (failures - 1))
    part.replace(target)
    _about(part).unlink(missing_ok=True)
    return target


def verify(path: Path, checksum: str) -> None:
    """Raise a DataError where a file does not have its checksum, such as `sha256:9f86...`.

    Examples:
        >>> import tempfile
        >>> file = Path(tempfile.mkdtemp()) / "a"
        >>> _ = file.write_bytes(b"whole")
        >>> verify(file, "md5:d41d8cd98f00b204e9800998ecf8427e")
        Traceback (most recent call last):
        fairage.exceptions.DataError: expected md5 d41d8cd98f00b204e9800998ecf8427e for ...
    """
    kind, _, expected = checksum.partition(":")
    assert kind in _KINDS, checksum
    with path.open("rb") as file:
        got = hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False))
    if got.hexdigest() != expected.lower():
        raise DataError(
            f"expected {kind} {expected} for {str(path)!r}, got {got.hexdigest()}, delete the file "
            "and download it again, or accept a newer edition with --no-checksum"
        )


def _attempt(url: str, part: Path, timeout: float) -> None:
    """Append to the part file until it is complete."""
    have = _size(part)
    request = urllib.request.Request(url, headers={"User-Agent": "fairage"})
    if have:
        request.add_header("Range", f"bytes={have}-")
        if validator := _edition(part).validator:
            request.add_header("If-Range", validator)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            _receive(response, part)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
        elif error.code not in _TRY_AGAIN:
            raise _refused(url, error) from error
        raise _InterruptedError(f"the server answered {error.code} {error.reason}") from error
    except (OSError, HTTPException) as error:
        if isinstance(error, OSError) and error.errno in _DISK:
            raise DataError(
                f"expected to write {str(part)!r}, got {error.strerror}, free some room or give "
                "another folder"
            ) from error
        raise _InterruptedError(
            str(getattr(error, "reason", "") or error or "no answer")
        ) from error


def _receive(response: HTTPResponse, part: Path) -> None:
    """Write what the server sends: to the end of the part file if it goes on from there."""
    if response.status == _PARTIAL:
        total = _edition(part).total
        if response.headers.get("Content-Range") != f"bytes {_size(part)}-{total - 1}/{total}":
            part.unlink()
            raise _InterruptedError("the file has changed on the server")
    else:
        part.unlink(missing_ok=True)
        total = _start(response, part)
    have = _size(part)
    with (
        part.open("ab") as file,
        progress_bar(f"downloading {part.stem}", total, unit="bytes") as advance,
    ):
        advance(have)
        while chunk := response.read1(_CHUNK):
            file.write(chunk)
            advance(len(chunk))
    if _size(part) < total:
        raise _InterruptedError(f"the connection broke off after {_size(part)} of {total} bytes")


def _start(response: HTTPResponse, part: Path) -> int:
    """Note down which edition of the file begins here, and return its size, 0 if not told."""
    length = response.headers.get("Content-Length", "")
    total = int(length) if length.isdigit() else 0
    validator = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    edition = _Edition("" if validator.startswith("W/") else validator, total)
    write_text(_about(part), json.dumps(asdict(edition)))
    return total


def _edition(part: Path) -> _Edition:
    """Return the edition that the part file is of."""
    try:
        return _Edition(**json.loads(_about(part).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return _Edition()


def _about(part: Path) -> Path:
    return part.with_name(part.name + ".edition")


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _refused(url: str, error: urllib.error.HTTPError) -> DataError:
    return DataError(
        f"expected a file at {url}, got {error.code} {error.reason}, see the data set's page: "
        "fairage data list"
    )


def _given_up(url: str, target: Path, part: Path, error: Exception) -> DataError:
    kept = f", {_size(part)} bytes are kept" if _size(part) else ""
    return DataError(
        f"expected an answer from {urlsplit(url).netloc}, got {error}{kept}, connect to the "
        f"internet and give the command again, or put the file of {url} at {str(target)!r}"
    )
