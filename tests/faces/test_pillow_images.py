"""Files that OpenCV does not read: GIF, TIFF, AVIF, HEIC; the same limits hold for them."""

import contextlib
import io
import struct
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import AvifImagePlugin, Image

from fairage import _images
from fairage._image_containers import quiet_pillow, read_container
from fairage.datasets import SplitOptions, check_images, prepare_faces
from fairage.embeddings import EmbedOptions, embed
from fairage.exceptions import DataError, MissingDependencyError
from fairage.faces import decode_image, read_image_bytes
from fairage.faces_file import read_faces
from fairage.tables import Faces

ORIENTATION = 0x0112


def picture(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A smooth picture, red growing to the right and green downwards."""
    y, x = np.mgrid[0:height, 0:width]
    channels = [x * 255 // width, y * 255 // height, np.full((height, width), 40)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def encoded(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    image, out = image or Image.fromarray(picture()), io.BytesIO()
    if kind == "HEIC":
        pillow_heif.encode(image.mode, image.size, image.tobytes(), out, quality=95, **options)
    else:
        image.save(out, kind, **options)
    return out.getvalue()


def pages(kind: str, **options: object) -> bytes:
    """Several pictures in a file; the first one is `picture()`."""
    others = [Image.new("RGB", (64, 48), colour) for colour in ("white", "black")]
    return encoded(kind, save_all=True, append_images=others, **options)


EXACT = {
    "TIFF": encoded("TIFF"),
    "TIFF lzw": encoded("TIFF", compression="tiff_lzw"),
    "TIFF deflate": encoded("TIFF", compression="tiff_adobe_deflate"),
    "TIFF packbits": encoded("TIFF", compression="packbits"),
    "TIFF pages": pages("TIFF"),
}
LOSSY = {
    "GIF": encoded("GIF"),
    "GIF animated": pages("GIF", duration=100),
    "TIFF jpeg": encoded("TIFF", compression="jpeg", quality=95),
    "AVIF": encoded("AVIF", quality=95),
    "AVIF animated": pages("AVIF", quality=95),
    "HEIC": encoded("HEIC"),
}
FILES = EXACT | LOSSY


def difference(pixels: NDArray[np.uint8], expected: NDArray[np.uint8]) -> float:
    return float(np.abs(pixels.astype(int) - expected).mean())


@pytest.mark.parametrize("name", FILES)
def test_every_kind_gives_the_first_picture(name: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(FILES[name])
    pixels = decode_image(read_image_bytes(str(tmp_path / "a")))
    assert (pixels.shape, pixels.dtype) == ((48, 64, 3), np.uint8)
    assert pixels.flags.writeable
    assert difference(pixels, picture()) < (0.001 if name in EXACT else 8 if "GIF" in name else 3)


@pytest.mark.parametrize("name", FILES)
def test_kind_and_size_are_read_without_the_pixels(name: str) -> None:
    container = read_container(FILES[name])
    assert (container.height, container.width) == (48, 64)
    assert container.kind == name.split()[0]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP", "BMP"])
def test_what_opencv_reads_has_its_very_pixels(kind: str) -> None:
    data = encoded(kind)
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    np.testing.assert_array_equal(decode_image(data), expected)


@pytest.mark.parametrize("name", sorted(set(FILES) - {"TIFF pages"}))
@given(share=st.floats(0, 0.99))
def test_a_truncated_file_is_refused_wherever_it_ends(name: str, share: float) -> None:
    data = FILES[name]
    with pytest.raises(DataError):
        decode_image(data[: int(len(data) * share)])


@pytest.mark.parametrize("kind", ["GIF", "AVIF", "HEIC"])
def test_the_last_byte_is_missed(kind: str) -> None:
    with pytest.raises(DataError, match="cut short"):
        read_container(FILES[kind][:-1])


@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_corrupt_bytes_give_an_image_or_a_reason_and_no_warning(
    name: str, data: st.DataObject
) -> None:
    broken = bytearray(FILES[name])
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, min(len(broken), 700) - 1))
        broken[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DataError):
        assert decode_image(bytes(broken)).shape[2] == 3


@pytest.mark.parametrize("name", ["GIF", "TIFF", "AVIF", "HEIC"])
def test_data_check_notices_a_file_that_was_cut_short(name: str, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(FILES[name])
    (tmp_path / "b").write_bytes(FILES[name][:-100])
    result = check_images(Faces(pl.DataFrame({"image": ["a", "b"], "age": [1.0, 2.0]}), tmp_path))
    (unreadable,) = result.unreadable
    assert (unreadable.row, unreadable.image) == (2, str(tmp_path / "b"))
    assert "cut short" in unreadable.reason or "cannot be decoded" in unreadable.reason


def test_a_folder_of_them_is_prepared_checked_and_embedded(tmp_path: Path) -> None:
    names = [f"{name}.{name}" for name in ("gif", "tiff", "avif", "heic")]
    for name in names:
        (tmp_path / name).write_bytes(FILES[name.split(".")[1].upper()])
    pl.DataFrame({"image": names, "age": [1.0, 2.0, 3.0, 4.0]}).write_csv(tmp_path / "faces.csv")
    unsplit = SplitOptions(skip=True)
    outcome = prepare_faces("folder", tmp_path, tmp_path / "out.parquet", split=unsplit)
    assert outcome.faces.height == 4
    faces = read_faces(tmp_path / "out.parquet")
    assert check_images(faces).unreadable == ()
    options = EmbedOptions(backbones="embedded", store=tmp_path / "store", precision="fp32")
    assert embed(faces, options).values.shape == (4, 192)


def bomb(kind: str) -> bytes:
    """A small file that claims 60,000 x 60,000 pixels."""
    data = bytearray(FILES[kind])
    if kind == "GIF":
        struct.pack_into("<HH", data, 6, 60_000, 60_000)
    elif kind == "TIFF":
        (start,) = struct.unpack_from("<I", data, 4)
        for entry in (0, 1):  # width and height come first
            struct.pack_into("<HHII", data, start + 2 + 12 * entry, 256 + entry, 4, 1, 60_000)
    else:
        at = 0
        while (at := data.find(b"ispe", at + 1)) >= 0:
            struct.pack_into(">II", data, at + 8, 60_000, 60_000)
    return bytes(data)


@pytest.mark.parametrize("kind", ["GIF", "TIFF"])
def test_a_pixel_bomb_is_refused_by_its_size(kind: str) -> None:
    with pytest.raises(DataError, match="60000x60000"):
        decode_image(bomb(kind))


@pytest.mark.parametrize("kind", ["AVIF", "HEIC"])
def test_a_pixel_bomb_is_refused_by_the_limits_of_the_codec_too(kind: str) -> None:
    with pytest.raises(DataError, match=r"60000x60000|cannot be decoded"):
        decode_image(bomb(kind))


def test_a_gif_whose_picture_is_larger_than_it_says_is_measured_by_the_picture() -> None:
    data = bytearray(FILES["GIF"])
    start = data.index(b"\x2c", 13 + 3 * 256)
    struct.pack_into("<HH", data, start + 5, 60_000, 60_000)
    with pytest.raises(DataError, match="60000x60000"):
        decode_image(bytes(data))


@pytest.mark.parametrize("name", FILES)
def test_the_limit_holds_before_pixels_are_made(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_images, "MAX_PIXELS", 48 * 64 - 1)
    monkeypatch.setattr(_images, "_decode_with_pillow", None)
    with pytest.raises(DataError, match="64x48"):
        decode_image(FILES[name])


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "AVIF", "HEIC"])
def test_sizes_that_pillow_warns_of_pass_without_a_warning(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 48 * 64 - 1)
    assert decode_image(FILES[kind]).shape == (48, 64, 3)
    assert warnings.filters[0][0] != "ignore"


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "AVIF", "HEIC"])
@pytest.mark.parametrize("size", [(4, 4), (8, 400)])
def test_absurd_sizes_are_refused(kind: str, size: tuple[int, int]) -> None:
    with pytest.raises(DataError, match="at least 8x8"):
        decode_image(encoded(kind, Image.fromarray(picture(*size))))


@pytest.mark.parametrize("kind", ["TIFF", "AVIF"])
@pytest.mark.parametrize(
    ("orientation", "turn"),
    [(3, lambda a: np.rot90(a, 2)), (6, np.rot90), (8, lambda a: np.rot90(a, 3))],
)
def test_a_picture_lying_on_its_side_is_put_upright(kind: str, orientation: int, turn) -> None:
    lying = Image.fromarray(turn(picture()).copy())
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    pixels = decode_image(encoded(kind, lying, exif=exif.tobytes()))
    assert pixels.shape == (48, 64, 3)
    assert difference(pixels, picture()) < 4


def test_a_heic_file_is_turned_once() -> None:
    lying = Image.fromarray(np.rot90(picture()).copy())
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encoded("HEIC", lying, exif=exif.tobytes())
    assert b"irot" in data, "HEIC says how to turn it apart from EXIF too"
    pixels = decode_image(data)
    assert pixels.shape == (48, 64, 3)
    assert difference(pixels, picture()) < 4


@pytest.mark.parametrize("kind", ["TIFF", "AVIF", "HEIC"])
def test_what_is_transparent_is_white(kind: str) -> None:
    image = Image.fromarray(picture()).convert("RGBA")
    image.putalpha(102)
    assert difference(decode_image(encoded(kind, image)), picture() * 0.4 + 255 * 0.6) < 4


def test_a_palette_keeps_its_colours_but_for_a_transparent_one() -> None:
    palette = Image.fromarray(picture()).quantize(16)
    expected = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(decode_image(encoded("TIFF", palette)), expected)
    on_white = np.where(np.asarray(palette)[..., None] == 3, 255, expected)
    found = decode_image(encoded("GIF", palette, transparency=3))
    np.testing.assert_array_equal(found, on_white)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "CMYK", "YCbCr"])
def test_other_modes_become_rgb(mode: str) -> None:
    image = Image.fromarray(picture()).convert(mode)
    pixels = decode_image(encoded("TIFF", image))
    np.testing.assert_array_equal(pixels, np.asarray(image.convert("RGB")))


def test_sixteen_bits_are_scaled_to_eight() -> None:
    grey = picture()[..., 0]
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    expected = np.repeat(grey[..., None], 3, axis=2)
    np.testing.assert_array_equal(decode_image(encoded("TIFF", deep)), expected)
    negative = encoded("TIFF", deep, tiffinfo={262: 0})
    np.testing.assert_array_equal(decode_image(negative), 255 - expected)


def test_twelve_bits_in_sixteen_are_refused() -> None:
    deep = Image.fromarray(picture()[..., 0].astype(np.uint16) * 16)
    with pytest.raises(DataError, match="none above 4095"):
        decode_image(encoded("TIFF", deep))


def test_thirty_two_bits_are_refused() -> None:
    image = Image.fromarray(picture()[..., 0].astype(np.float32))
    with pytest.raises(DataError, match="got 32"):
        decode_image(encoded("TIFF", image))


def test_a_file_is_taken_for_no_other_kind_than_its_start_says() -> None:
    with pytest.raises(DataError, match="JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC"):
        decode_image(encoded("PPM"))
    with pytest.raises(DataError, match="GIF"):
        decode_image(b"GIF89a" + encoded("TIFF"))


@pytest.mark.parametrize(
    ("kind", "module", "message"),
    [
        ("HEIC", "pillow_heif", r"'pillow-heif'.*fairage\[heic\]"),
        ("TIFF", "PIL.TiffImagePlugin", r"'pillow'.*fairage\[predict\]"),
        ("JPEG", "cv2", r"'opencv-python-headless'.*fairage\[predict\]"),
    ],
)
def test_a_missing_package_is_named(
    kind: str, module: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encoded(kind)
    monkeypatch.setitem(sys.modules, module, None)
    if "." in module:
        monkeypatch.delattr("PIL.TiffImagePlugin")
    with pytest.raises(MissingDependencyError, match=message):
        decode_image(data)


def test_a_pillow_without_avif_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AvifImagePlugin, "SUPPORTED", False)
    with pytest.raises(MissingDependencyError, match="reads AVIF"):
        decode_image(FILES["AVIF"])


def test_threads_decode_at_once_and_leave_the_filters_as_they_were() -> None:
    before, start = list(warnings.filters), threading.Barrier(4)

    def decode(name: str) -> float:
        start.wait()
        return max(difference(decode_image(FILES[name]), picture()) for _ in range(20))

    with ThreadPoolExecutor(4) as pool:
        assert max(pool.map(decode, ["TIFF", "HEIC", "AVIF", "TIFF lzw"])) < 3
    assert warnings.filters == before


def test_one_thread_at_a_time_changes_the_filters() -> None:
    with ThreadPoolExecutor(1) as pool:
        with quiet_pillow():
            job = pool.submit(decode_image, FILES["TIFF"])
            with pytest.raises(TimeoutError):
                job.result(timeout=0.2)
        assert job.result(timeout=30).shape == (48, 64, 3)


def test_data_sets_are_read_and_downloaded_without_opencv_and_pillow() -> None:
    code = "import sys, fairage.datasets; print(sorted({'cv2', 'PIL'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
