"""The bytes of one image: from a file, or over HTTP with a limit on time and size."""

import stat
import time
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from fairage.containers import MAX_BYTES
from fairage.exceptions import DataError

__all__ = ["TIMEOUT", "read_image_bytes"]

TIMEOUT = 20.0
"""Seconds for the whole of one download."""
_CHUNK = 2**16


def read_image_bytes(image: str) -> bytes:
    """Return what a path or an http(s) URL holds.

    Raises:
        DataError: There is no such file or page, it is too large, too slow or not a file.

    Examples:
        >>> read_image_bytes("no/such.jpg")
        Traceback (most recent call last):
        fairage.exceptions.DataError: expected an image file, got none at 'no/such.jpg', ...
    """
    scheme, separator, _ = image.partition("://")
    if not separator:
        return _from_file(Path(image))
    if scheme.lower() not in ("http", "https"):
        raise DataError(f"expected a path or an http(s) URL, got {image!r}, copy the image here")
    return _from_url(image)


def _from_file(path: Path) -> bytes:
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise DataError(f"expected an image file, got a folder or device {str(path)!r}")
        _check_bytes(about.st_size)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(
            f"expected an image file, got none at {str(path)!r}, check the path"
        ) from error
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"expected a readable file, got {error} for {str(path)!r}, check its permissions"
        ) from error


def _from_url(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"User-Agent": "fairage"})
    try:
        with _http_only().open(request, timeout=TIMEOUT) as response:
            return _read_limited(response)
    except (OSError, HTTPException, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"expected an image at {url!r}, got {error}, check the address") from error


def _http_only() -> urllib.request.OpenerDirector:
    """Return an opener that no redirect can send to a file or FTP."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _read_limited(response: HTTPResponse) -> bytes:
    deadline = time.monotonic() + TIMEOUT
    parts: list[bytes] = []
    size = 0
    while part := response.read1(_CHUNK):
        parts.append(part)
        size += len(part)
        _check_bytes(size)
        if time.monotonic() > deadline:
            raise DataError(f"expected an image within {TIMEOUT:g} s, got none, copy it here")
    expected = response.headers.get("Content-Length")
    if expected is not None and size < int(expected):
        raise DataError(f"expected {expected} bytes, got {size}, download it again")
    return b"".join(parts)


def _check_bytes(size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(
            f"expected at most {MAX_BYTES // 2**20} MiB, got {size / 2**20:.0f} MiB, "
            "scale the image down"
        )
