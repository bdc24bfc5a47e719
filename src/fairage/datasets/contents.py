"""What image files hold: a hash of the bytes, or the reason why they are not a whole image."""

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fairage.containers import MAX_BYTES, read_container
from fairage.exceptions import DataError
from fairage.progress import progress_bar

__all__ = ["Content", "read_content", "read_contents"]

_BATCH = 2048
_MAX_WORKERS = 8


@dataclass(frozen=True)
class Content:
    """What one image file holds.

    Args:
        key: The same for files of the same bytes; empty where the file could not be read.
        reason: Why the file is no whole image; empty where it is.
    """

    key: str = ""
    reason: str = ""


def read_contents(images: Sequence[str]) -> list[Content]:
    """Return the content of each image, in order; a URL is not fetched, its key is itself."""
    found: list[Content] = []
    workers = min(_MAX_WORKERS, os.cpu_count() or 1)
    with (
        progress_bar("reading images", len(images)) as advance,
        ThreadPoolExecutor(workers) as pool,
    ):
        for start in range(0, len(images), _BATCH):
            batch = images[start : start + _BATCH]
            found.extend(pool.map(read_content, batch))
            advance(len(batch))
    return found


def read_content(image: str) -> Content:
    """Return the content of one image.

    Examples:
        >>> read_content("no/such.jpg")
        Content(key='', reason='there is no such file')
        >>> read_content("https://example.org/a.jpg")
        Content(key='https://example.org/a.jpg', reason='')
    """
    if "://" in image:
        return Content(image)
    path = Path(image)
    try:
        if not path.exists():
            return Content(reason="there is no such file")
        if not path.is_file():
            return Content(reason="it is a folder or a device")
        if path.stat().st_size > MAX_BYTES:
            return Content(reason=f"it has more than {MAX_BYTES // 2**20} MiB")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        return Content(reason=f"it cannot be read ({error})")
    if not data:
        return Content(reason="it is empty (zero bytes)")
    return Content(hashlib.blake2b(data, digest_size=16).hexdigest(), _what_is_wrong(data))


def _what_is_wrong(data: bytes) -> str:
    """Return why these bytes are no whole image; empty where they seem to be one."""
    try:
        read_container(data)
    except DataError as error:
        return str(error)
    return ""
