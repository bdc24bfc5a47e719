"""JPEG files that were cut short and closed with an end mark, and whole ones beside them."""

import io
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from fairage import _images
from fairage._jpeg import read_jpeg
from fairage.exceptions import DataError
from fairage.faces import decode_image

RNG = np.random.default_rng(0)


def textured(height: int = 88, width: int = 100) -> NDArray[np.uint8]:
    """Noise upon ramps, so that every block has something to say."""
    y, x = np.mgrid[0:height, 0:width]
    ramps = np.stack([x, y, x + y], axis=-1)
    return (ramps + RNG.integers(0, 60, ramps.shape)).astype(np.uint8)


def encoded(image: NDArray[np.uint8], mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).convert(mode).save(out, "JPEG", **options)
    return out.getvalue()


def closed(data: bytes, share: float) -> bytes:
    """The file up to a share of its coded picture, with an end mark."""
    start = data.index(b"\xff\xda")
    kept = data[: start + 20 + int((len(data) - start - 22) * share)]
    return kept.rstrip(b"\xff") + b"\xff\xd9"


KINDS = {
    "baseline": encoded(textured(), quality=90),
    "subsampled": encoded(textured(), quality=70, subsampling="4:2:0"),
    "every colour whole": encoded(textured(), quality=70, subsampling="4:4:4"),
    "grey": encoded(textured(), "L", quality=90),
    "CMYK": encoded(textured(), "CMYK", quality=90),
    "with restart markers": encoded(textured(), quality=90, restart_marker_blocks=2),
    "progressive": encoded(textured(), quality=90, progressive=True),
    "progressive grey": encoded(textured(), "L", quality=90, progressive=True),
}


@pytest.mark.parametrize("kind", KINDS)
@given(share=st.floats(0, 0.97))
def test_a_cut_file_with_an_end_mark_is_refused_wherever_it_was_cut(
    kind: str, share: float
) -> None:
    with pytest.raises(DataError, match=r"whole JPEG|JPEG segments|decoded"):
        decode_image(closed(KINDS[kind], share))


def test_a_cut_picture_that_lies_on_its_side_is_refused() -> None:
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        with pytest.raises(DataError, match="whole JPEG"):
            decode_image(closed(encoded(textured(), quality=90, exif=exif), 0.9))


GREYS = [np.full((40, 50, 3), value, dtype=np.uint8) for value in (126, 128, 129)]


@pytest.mark.parametrize("kind", KINDS)
def test_whole_files_pass_grey_corners_too(kind: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert decode_image(KINDS[kind]).shape == (88, 100, 3)
    for grey, (progressive, blocks) in product(GREYS, [(False, 0), (True, 0), (False, 3)]):
        file = encoded(grey, progressive=progressive, restart_marker_blocks=blocks)
        assert abs(int(decode_image(file)[-1, -1, 0]) - int(grey[0, 0, 0])) < 3
    assert capfd.readouterr() == ("", ""), "no warning of libjpeg reaches the user"


@given(data=st.data())
def test_whole_files_of_any_size_and_content_pass(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(8, 70)), data.draw(st.integers(8, 70))
    seed, contrast = data.draw(st.integers(0, 99)), data.draw(st.integers(0, 255))
    rng = np.random.default_rng(seed)
    pixels = (128 + rng.integers(0, contrast + 1, (height, width, 3)) // 2).astype(np.uint8)
    file = encoded(
        pixels,
        data.draw(st.sampled_from(["RGB", "L", "CMYK"])),
        quality=data.draw(st.integers(5, 100)),
        progressive=data.draw(st.booleans()),
        optimize=data.draw(st.booleans()),
        restart_marker_blocks=data.draw(st.integers(0, 4)),
    )
    assert decode_image(file).shape == (height, width, 3)


def test_a_progressive_file_without_its_last_scans_is_refused() -> None:
    data = KINDS["progressive"]
    starts = [at for at in range(len(data)) if data.startswith(b"\xff\xda", at)]
    assert read_jpeg(data).scans == len(starts) > 3
    for start in starts[1:]:
        with pytest.raises(DataError, match="whole JPEG"):
            read_jpeg(data[:start] + b"\xff\xd9")


def test_most_files_are_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_images, "_decode_jpeg", None)
    dark_corners = textured()
    dark_corners[[0, 0, -1, -1], [0, -1, 0, -1]] = 0
    dark_corners[-8:, -8:] = 0
    dark_corners[-8:, :8] = dark_corners[:8, -8:] = dark_corners[:8, :8] = 0
    assert decode_image(encoded(dark_corners, quality=95)).shape == (88, 100, 3)


def test_an_arithmetic_coded_file_is_refused() -> None:
    data = bytearray(KINDS["baseline"])
    data[data.index(b"\xff\xc0") + 1] = 0xC9
    with pytest.raises(DataError, match="baseline or progressive"):
        decode_image(bytes(data))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_cut_strip_of_a_tiff_is_refused(share: float) -> None:
    out = io.BytesIO()
    Image.fromarray(textured()).save(out, "TIFF", compression="jpeg", quality=90)
    data = bytearray(out.getvalue())
    assert decode_image(bytes(data)).shape == (88, 100, 3)
    start = data.index(b"\xff\xda")
    end = data.index(b"\xff\xd9", start)
    at = start + 20 + int((end - start - 22) * share)
    data[at : end + 2] = b"\xff\xd9" + bytes(end - at)
    with pytest.raises(DataError, match="whole JPEG"):
        decode_image(bytes(data))
