"""`data check` and `embed` say the same of each picture, as both read it with one function."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fairage.datasets import check_images
from fairage.embeddings import EmbedOptions, embed
from fairage.tables import Faces

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def encoded(kind: str, image: Image.Image | None = None, **options: object) -> bytes:
    out = io.BytesIO()
    (image or Image.fromarray(PICTURE)).save(out, kind, **options)
    return out.getvalue()


def with_alpha(value: int) -> Image.Image:
    image = Image.fromarray(PICTURE).convert("RGBA")
    image.putalpha(value)
    return image


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


JPEG, PNG, GIF = encoded("JPEG"), encoded("PNG"), encoded("GIF")
GOOD = {
    "a.jpg": JPEG,
    "progressive.jpg": encoded("JPEG", progressive=True),
    "a.png": PNG,
    "a.gif": GIF,
    "alpha.png": encoded("PNG", with_alpha(100)),
    "named.jpg": encoded("WebP"),
}
DAMAGED = {
    "closed.jpg": JPEG[: len(JPEG) // 2].rstrip(b"\xff") + b"\xff\xd9",
    "cut.jpg": JPEG[: len(JPEG) // 2],
    "flipped.png": changed(PNG, len(PNG) // 2),
    "cut.gif": GIF[:-9] + b"\0;",
    "unseen.png": encoded("PNG", with_alpha(0)),
    "dark.png": encoded("PNG", Image.fromarray(PICTURE[..., 0].astype(np.uint16) * 16)),
    "small.png": encoded("PNG", Image.fromarray(PICTURE[:4])),
    "long.png": encoded("PNG", Image.new("RGB", (300, 10))),
    "empty.jpg": b"",
    "page.jpg": b"<html>not found</html>",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in (GOOD | DAMAGED).items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "pipe.jpg")
    return tmp_path


def test_check_and_embed_refuse_the_same_pictures_for_the_same_reasons(
    folder: Path, faces_of
) -> None:
    names = [*GOOD, *DAMAGED, "folder.jpg", "pipe.jpg", "missing.jpg"]
    faces: Faces = faces_of(folder, names)
    checked = {each.row - 1: each.reason for each in check_images(faces).unreadable}
    options = EmbedOptions(
        backbones="embedded", store=folder / "store", precision="fp32", on_error="skip"
    )
    found = embed(faces, options)
    assert checked == {each.row: each.reason for each in found.failures}
    assert found.rows.tolist() == list(range(len(GOOD)))
