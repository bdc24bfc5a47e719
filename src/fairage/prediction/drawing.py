"""Pictures with the boxes and ages of the faces in them drawn on."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fairage._files import atomic_path
from fairage.exceptions import DataError
from fairage.prediction.face_estimates import Estimate, Estimates
from fairage.prediction.pictures import Picture

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

_COLOUR, _INK = (0, 114, 178), (255, 255, 255)
_LONGEST_SIDE = 1600
_TEXT_SHARE, _LEAST_TEXT = 0.16, 13


def drawn(picture: Picture, estimates: Sequence[Estimate]) -> "PillowImage":
    """Return the picture with a box about each face, its age and its interval.

    Large pictures are made smaller. What was estimated from the picture as a whole stands in its
    upper left corner; so does the reason where there is no estimate.
    """
    from PIL import Image, ImageDraw, ImageFont

    with picture.pixels() as pixels:
        image = Image.fromarray(pixels)
        image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
        scale = image.width / pixels.shape[1]
    draw = ImageDraw.Draw(image)
    for each in estimates:
        left, top, width, height = each.box or (0, 0, pixels.shape[1], pixels.shape[0])
        corners = [left * scale, top * scale, (left + width) * scale, (top + height) * scale]
        if each.box is not None:
            draw.rectangle(corners, outline=_COLOUR, width=max(2, round(image.width / 400)))
        size, text = max(_LEAST_TEXT, round(_TEXT_SHARE * width * scale)), caption(each)
        font = ImageFont.load_default(size)
        if (longest := draw.textlength(text, font=font)) > image.width - 4:
            font = ImageFont.load_default(max(6.0, size * (image.width - 4) / longest))
        around = draw.textbbox((0, 0), text, font=font)
        x = min(max(0.0, corners[0]), max(0.0, image.width - around[2] - 2))
        y = corners[1] - around[3] - 3 if each.box and corners[1] > around[3] + 3 else corners[1]
        draw.rectangle((x, y, x + around[2] + 4, y + around[3] + 3), fill=_COLOUR)
        draw.text((x + 2, y), text, fill=_INK, font=font)
    return image


def caption(estimate: Estimate) -> str:
    """Return an age and its interval in a few characters.

    Examples:
        >>> caption(Estimate("a.jpg", age=33.6, low=25.2, high=None, level=0.9))
        '34 (25+)'
    """
    if estimate.age is None:
        return estimate.reason
    age = f"{estimate.age:.0f}"
    if estimate.level is None:
        return age
    low = 0.0 if estimate.low is None else estimate.low
    return f"{age} ({low:.0f}{'+' if estimate.high is None else f'-{estimate.high:.0f}'})"


def draw_all(estimates: Estimates, folder: Path, start: int = 0) -> list[Path]:
    """Write each picture that can be read, with what was estimated, into a folder as JPEG.

    Args:
        estimates: Of any number of pictures.
        folder: It is made.
        start: Number of the first picture, from 0; the files are numbered.
    """
    paths = []
    for number, (picture, own) in enumerate(estimates.by_picture(), start + 1):
        path = folder / f"{number:05d}-{Path(picture.name).stem or 'image'}.jpg"
        try:
            image = drawn(picture, own)
        except DataError:
            continue
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            image.save(file, "JPEG", quality=90)
        paths.append(path)
    return paths
