"""Decoding: every kind of picture comes out as upright RGB, every broken file with a reason."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from fairage._image_containers import read_container
from fairage.exceptions import DataError
from fairage.faces import decode_image


def picture(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A smooth picture, red growing to the right and green downwards."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 255 // width, y * 255 // height, np.full((height, width), 40)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def encoded(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    (image or Image.fromarray(picture())).save(out, kind, **options)
    return out.getvalue()


FORMATS = {
    "JPEG": encoded("JPEG", quality=95),
    "progressive JPEG": encoded("JPEG", quality=95, progressive=True),
    "PNG": encoded("PNG"),
    "WebP": encoded("WebP", quality=95),
    "lossless WebP": encoded("WebP", lossless=True),
    "BMP": encoded("BMP"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_picture(name: str) -> None:
    found = decode_image(FORMATS[name])
    assert found.shape == (48, 64, 3)
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - picture()).mean() < 3


@pytest.mark.parametrize("name", FORMATS)
def test_size_is_read_off_the_header(name: str) -> None:
    container = read_container(FORMATS[name])
    assert (container.height, container.width) == (48, 64)
    assert container.kind in name


@pytest.mark.parametrize("name", FORMATS)
@given(share=st.floats(0, 0.999))
def test_a_truncated_file_is_refused_wherever_it_ends(name: str, share: float) -> None:
    data = FORMATS[name]
    with pytest.raises(DataError):
        decode_image(data[: int(len(data) * share)])


@given(data=st.binary(max_size=200), start=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n"]))
def test_any_bytes_give_an_image_or_a_reason(data: bytes, start: bytes) -> None:
    with pytest.raises(DataError, match=r"expected .*, got .*"):
        decode_image(start + data)


def test_bytes_after_the_end_of_a_jpeg_do_no_harm() -> None:
    assert decode_image(FORMATS["JPEG"] + b"junk").shape == (48, 64, 3)


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(DataError, match="empty file"):
        decode_image(b"")


def test_text_is_refused() -> None:
    with pytest.raises(DataError, match="JPEG, PNG, WebP, BMP"):
        decode_image(b"<html>not found</html>")


def test_a_flipped_bit_in_a_png_is_noticed() -> None:
    data = bytearray(FORMATS["PNG"])
    data[len(data) // 2] ^= 4
    with pytest.raises(DataError, match="checksum"):
        decode_image(bytes(data))


def test_a_pixel_bomb_is_refused_before_it_is_unpacked() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )
    with pytest.raises(DataError, match="60000x60000"):
        decode_image(data)


@pytest.mark.parametrize("size", [(4, 4), (8, 400)])
def test_absurd_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="at least 8x8"):
        decode_image(encoded("PNG", Image.fromarray(picture(*size))))


def test_grey_becomes_three_equal_channels() -> None:
    grey = Image.fromarray(picture()).convert("L")
    found = decode_image(encoded("PNG", grey))
    np.testing.assert_array_equal(found, np.repeat(np.asarray(grey)[..., None], 3, axis=2))


def test_transparency_and_palette_keep_the_colours() -> None:
    with_alpha = Image.fromarray(picture()).convert("RGBA")
    with_alpha.putalpha(100)
    np.testing.assert_array_equal(decode_image(encoded("PNG", with_alpha)), picture())
    palette = Image.fromarray(picture()).quantize(16)
    found = decode_image(encoded("PNG", palette))
    np.testing.assert_array_equal(found, np.asarray(palette.convert("RGB")))


def test_sixteen_bits_are_scaled_to_eight() -> None:
    deep = picture().astype(np.uint16) * 257
    ok, data = cv2.imencode(".png", deep[..., ::-1])
    assert ok
    assert np.abs(decode_image(data.tobytes()).astype(int) - picture()).max() <= 1


def test_cmyk_comes_out_in_the_right_colours() -> None:
    data = encoded("JPEG", Image.fromarray(picture()).convert("CMYK"), quality=95)
    assert np.abs(decode_image(data).astype(int) - picture()).mean() < 4


def test_a_picture_lying_on_its_side_is_put_upright() -> None:
    lying = Image.fromarray(np.rot90(picture()).copy())
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to see it upright
    found = decode_image(encoded("JPEG", lying, quality=95, exif=exif))
    assert found.shape == (48, 64, 3)
    assert np.abs(found.astype(int) - picture()).mean() < 3
