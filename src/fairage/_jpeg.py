"""JPEG files: from marker to marker, and whether the coded blocks suffice for the picture.

libjpeg fills what is missing with grey, warns on standard error alone, and returns a picture. So a
file that was cut short and closed with an end mark is found here: bytes that follow the last scan
change no pixel, unless the decoder reads on, as blocks are missing.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fairage.exceptions import DataError

_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_IN_SCAN = frozenset({0x00, *range(0xD0, 0xD8)})
"""What follows 0xFF within a scan: a data byte 0xFF, or a restart marker."""
_COEFFICIENTS = 64
_NOISE = bytes(range(1, 0xFF))
_READ_ON = _NOISE + b"".join(b"\xff%c" % marker + _NOISE for marker in range(0xD0, 0xD8))
"""Blocks for a decoder that wants more of them, after any restart marker."""
_LUMA = np.array([0.299, 0.587, 0.114])
_GREY, _NEAR = 128, 2
_COLOURS = 3


@dataclass
class JpegLayout:
    """What the markers of a JPEG file say.

    Args:
        height: Height in pixels.
        width: Width in pixels.
        frame: Marker of the frame, which names the kind of coding.
        missing: For each component, the lowest bit of every coefficient that no scan has given.
        scans: How many scans there are.
        end: Where the last of them ends.
    """

    height: int = 0
    width: int = 0
    frame: int = 0
    missing: dict[int, list[int]] = field(default_factory=dict)
    scans: int = 0
    end: int = 0

    def begin_frame(self, marker: int, segment: bytes) -> None:
        """Read the size and the components."""
        if marker not in (*_SEQUENTIAL, _PROGRESSIVE):
            raise DataError(
                "expected a baseline or progressive JPEG file, got an arithmetic-coded or lossless "
                "one, save it anew"
            )
        self.frame = marker
        self.height, self.width = struct.unpack_from(">HH", segment, 1)
        self.missing = {segment[6 + 3 * n]: [16] * _COEFFICIENTS for n in range(segment[5])}

    def add_scan(self, segment: bytes) -> None:
        """Take down what a scan gives."""
        self.scans += 1
        count = segment[0]
        first, last, bits = struct.unpack_from("BBB", segment, 1 + 2 * count)
        if self.frame != _PROGRESSIVE:
            first, last, bits = 0, _COEFFICIENTS - 1, 0
        for component in segment[1 : 1 + 2 * count : 2]:
            if component in self.missing:
                self.missing[component][first : last + 1] = [bits & 15] * (last + 1 - first)

    @property
    def complete(self) -> bool:
        """Whether there is a scan of every coefficient to its last bit."""
        return not any(map(any, self.missing.values()))


def read_jpeg(data: bytes) -> JpegLayout:
    """Walk from marker to marker up to the end-of-image one.

    Raises:
        DataError: The file has no picture, lacks a scan of it, or is of a kind that nobody uses.
        IndexError: It is cut short.
        struct.error: It is cut short.
    """
    layout, at = JpegLayout(), 2
    while True:
        if data[at] != 0xFF:
            raise DataError("expected JPEG segments, got other data, copy the file again")
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        at += 1
        if marker == _END_OF_IMAGE:
            break
        if marker in _ALONE:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        segment, at = data[at + 2 : at + length], at + length
        if marker in _START_OF_FRAME:
            layout.begin_frame(marker, segment)
        elif marker == _START_OF_SCAN:
            layout.add_scan(segment)
            at = layout.end = _end_of_scan(data, at)
    if not layout.frame:
        raise DataError("expected a picture in the JPEG file, got none, copy the file again")
    if not layout.complete:
        raise _blocks_missing()
    return layout


def _end_of_scan(data: bytes, start: int) -> int:
    at = data.find(b"\xff", start)
    while at >= 0:
        after = at + 1
        while data[after] == 0xFF:
            after += 1
        if data[after] not in _IN_SCAN:
            return at
        at = data.find(b"\xff", after + 1)
    raise IndexError("no marker follows the scan")


def may_lack_blocks(data: bytes, pixels: NDArray[np.uint8]) -> bool:
    """Return whether a file may be one whose scans end before its picture does.

    Of one scan, libjpeg fills what is missing up to the last corner with grey. Where there are
    several, or colours that are no luminance, this cannot be seen.

    Args:
        data: The file.
        pixels: What OpenCV makes of it, `(height, width, 3)`; turned upright, so any corner counts.
    """
    layout = read_jpeg(data)
    corners = pixels[[0, 0, -1, -1], [0, -1, 0, -1]]
    filled = bool((np.abs(corners @ _LUMA - _GREY) <= _NEAR).any())
    return filled or layout.scans > 1 or len(layout.missing) > _COLOURS


def check_blocks(data: bytes, decode: Callable[[bytes], NDArray[np.uint8]]) -> None:
    """Refuse a file whose scans end before its picture does.

    Args:
        data: The file.
        decode: Decodes a file, and keeps libjpeg's warnings to itself.

    Raises:
        DataError: Blocks are missing.
    """
    longer = data[: read_jpeg(data).end] + _READ_ON + bytes((0xFF, _END_OF_IMAGE))
    if not np.array_equal(decode(data), decode(longer)):
        raise _blocks_missing()


def _blocks_missing() -> DataError:
    return DataError(
        "expected a whole JPEG file, got one cut short (its end mark is there, blocks of the "
        "picture are not), copy it again"
    )
