"""Decoding: every kind of picture comes out as upright RGB, every broken file with a reason."""

import io
import struct
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from fairage import _images
from fairage._image_containers import read_container
from fairage._images import decoded
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


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9, 0.95])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("inside", [False, True], ids=["stream", "rows in a whole stream"])
def test_a_png_whose_data_end_early_behind_right_checksums_is_refused(
    share: float, mode: str, inside: bool
) -> None:
    image = Image.fromarray(picture()).convert(mode)
    if mode == "RGBA":
        image.putalpha(100)
    data = encoded("PNG", image)
    start = data.index(b"IDAT")
    (length,) = struct.unpack_from(">I", data, start - 4)
    stream = data[start + 4 : start + 4 + length]
    if inside:
        rows = zlib.decompress(stream)
        cut = b"IDAT" + zlib.compress(rows[: int(len(rows) * share)])
    else:
        cut = b"IDAT" + stream[: int(length * share)]
    chunk = struct.pack(">I", len(cut) - 4) + cut + struct.pack(">I", zlib.crc32(cut))
    with pytest.raises(DataError, match="decoded"):
        decode_image(data[: start - 4] + chunk + data[start + 8 + length :])


@pytest.mark.parametrize("share", [0.3, 0.9, 0.99])
@pytest.mark.parametrize("name", ["WebP", "lossless WebP", "BMP"])
def test_data_that_end_early_behind_headers_that_agree_are_refused(name: str, share: float) -> None:
    data = bytearray(FORMATS[name][: int(len(FORMATS[name]) * share) // 2 * 2])
    if name == "BMP":
        struct.pack_into("<I", data, 2, len(data))
    else:
        struct.pack_into("<I", data, 4, len(data) - 8)
        struct.pack_into("<I", data, 16, len(data) - 20)
    with pytest.raises(DataError, match=r"cut short|decoded"):
        decode_image(bytes(data))


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


def test_a_palette_keeps_its_colours() -> None:
    palette = Image.fromarray(picture()).quantize(16)
    found = decode_image(encoded("PNG", palette))
    np.testing.assert_array_equal(found, np.asarray(palette.convert("RGB")))


def on_white(pixels: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.float64]:
    share = alpha[..., None] / 255
    return pixels * share + 255 * (1 - share)


@pytest.mark.parametrize("kind", ["PNG", "WebP"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_white(kind: str, mode: str) -> None:
    image = Image.fromarray(picture()).convert(mode)
    alpha = np.zeros((48, 64), dtype=np.uint8)
    alpha[8:], alpha[30:] = 100, 255
    image.putalpha(Image.fromarray(alpha))
    expected = on_white(np.asarray(image.convert("RGBA"))[..., :3], alpha)
    found = decode_image(encoded(kind, image, lossless=True, exact=True))
    assert np.abs(found - expected).max() <= 1
    assert (found[:8] == 255).all()


def test_an_opaque_picture_with_an_alpha_channel_keeps_its_very_pixels() -> None:
    image = Image.fromarray(picture()).convert("RGBA")
    np.testing.assert_array_equal(decode_image(encoded("PNG", image)), picture())


def test_a_transparent_colour_of_a_palette_or_of_all_is_white() -> None:
    palette = Image.fromarray(picture()).quantize(16)
    gone = np.asarray(palette) == 3
    found = decode_image(encoded("PNG", palette, transparency=3))
    expected = np.where(gone[..., None], 255, np.asarray(palette.convert("RGB")))
    np.testing.assert_array_equal(found, expected)
    keyed = decode_image(encoded("PNG", Image.fromarray(picture()), transparency=(0, 0, 40)))
    assert (keyed[0, 0], keyed[-1, -1].tolist()) == (pytest.approx(255), picture()[-1, -1].tolist())


def test_a_transparent_picture_lying_on_its_side_is_put_upright() -> None:
    lying = Image.fromarray(np.rot90(picture()).copy()).convert("RGBA")
    exif = Image.Exif()
    exif[0x0112] = 6
    np.testing.assert_array_equal(decode_image(encoded("PNG", lying, exif=exif)), picture())


def test_a_picture_that_is_wholly_transparent_is_refused() -> None:
    image = Image.fromarray(picture()).convert("RGBA")
    image.putalpha(0)
    with pytest.raises(DataError, match="wholly transparent"):
        decode_image(encoded("PNG", image))


def test_sixteen_bits_are_scaled_to_eight() -> None:
    deep = picture().astype(np.uint16) * 257
    ok, data = cv2.imencode(".png", deep[..., ::-1])
    assert ok
    assert np.abs(decode_image(data.tobytes()).astype(int) - picture()).max() <= 1


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_fewer_bits_than_sixteen_that_were_not_scaled_are_refused(
    bits: int, colours: int, suffix: str
) -> None:
    deep = picture().astype(np.uint16)[..., :colours] * 257 >> (16 - bits)
    ok, data = cv2.imencode(suffix, deep)
    assert ok
    with pytest.raises(DataError, match="16 bits a channel"):
        decode_image(data.tobytes())


def test_one_bit_is_black_and_white() -> None:
    image = Image.fromarray(picture()).convert("1")
    expected = np.repeat(np.asarray(image)[..., None] * np.uint8(255), 3, axis=2)
    np.testing.assert_array_equal(decode_image(encoded("PNG", image)), expected)


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


def test_threads_have_so_many_pixels_at_once_and_wait_for_one_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    most = 2 * 48 * 64
    monkeypatch.setattr(_images, "_ROOM", _images._Room(most))
    held, peaks, lock = [0], [0], threading.Lock()

    def read(_: int) -> int:
        with decoded(FORMATS["PNG"]) as pixels:
            size = pixels.shape[0] * pixels.shape[1]
            with lock:
                held[0] += size
                peaks.append(held[0])
            time.sleep(0.002)
            with lock:
                held[0] -= size
        return size

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(read, range(40))) == 40 * 48 * 64
    assert max(peaks) <= most


def test_room_is_given_back_where_a_picture_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_images, "_ROOM", _images._Room(48 * 64))
    broken = bytearray(FORMATS["WebP"])
    broken[25] ^= 0xFF
    for _ in range(3):
        with pytest.raises(DataError):
            decode_image(bytes(broken))
        assert decode_image(FORMATS["PNG"]).shape == (48, 64, 3)
