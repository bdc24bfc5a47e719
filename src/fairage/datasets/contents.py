"""What image files hold: a hash of the bytes, or the reason why they are not a whole image."""

import hashlib
import os
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from fairage.progress import progress_bar

__all__ = ["Content", "read_content", "read_contents"]

_MAX_BYTES = 64 * 2**20
_BATCH = 2048
_MAX_WORKERS = 8
_END_OF_IMAGE = b"\xff\xd9"
_START_OF_SCAN = 0xDA
_IEND = b"\x00\x00\x00\x00IEND" + zlib.crc32(b"IEND").to_bytes(4)


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
        if path.stat().st_size > _MAX_BYTES:
            return Content(reason=f"it has more than {_MAX_BYTES // 2**20} MiB")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        return Content(reason=f"it cannot be read ({error})")
    if not data:
        return Content(reason="it is empty (zero bytes)")
    return Content(hashlib.blake2b(data, digest_size=16).hexdigest(), _what_is_wrong(data))


def _what_is_wrong(data: bytes) -> str:
    """Return why these bytes are no whole image; empty where they seem to be one."""
    if data.startswith(b"\xff\xd8\xff"):
        whole, kind = _jpeg_is_whole(data), "JPEG"
    elif data.startswith(b"\x89PNG\r\n\x1a\n"):
        whole, kind = _IEND in data, "PNG"
    elif data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        whole, kind = len(data) >= max(30, int.from_bytes(data[4:8], "little") + 8), "WebP"
    elif data.startswith(b"BM"):
        whole, kind = len(data) >= max(26, int.from_bytes(data[2:6], "little")), "BMP"
    else:
        return f"it is no JPEG, PNG, WebP or BMP file (starts with {data[:8]!r})"
    return "" if whole else f"the {kind} file is cut short"


def _jpeg_is_whole(data: bytes) -> bool:
    """Walk to the first scan, so that the end of a thumbnail in the header does not count."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] == 0xFF:
            at += 1
            continue
        if data[at + 1] == _START_OF_SCAN:
            return data.find(_END_OF_IMAGE, at) >= 0
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return False
