"""A sheet of small pictures: how the drawn faces look at every age."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fairage._files import atomic_path
from fairage._random import numpy_rng
from fairage.exceptions import ConfigError
from fairage.synthetic.drawing import Person, draw_face
from fairage.synthetic.drawing.canvas import Image
from fairage.synthetic.population import CHALLENGE, OLDEST
from fairage.synthetic.synthesis import require_opencv

__all__ = ["contact_sheet"]

_AGES = (1, 6, 14, 22, 32, 45, 58, 70, 85)


def contact_sheet(
    path: Path, *, ages: Sequence[float] = _AGES, seed: int = 0, side: int = 96
) -> Path:
    """Write a picture of drawn faces, one column an age, one row an ethnicity; return its path.

    Gender and expression take turns. Each face is another person.

    Args:
        path: Where to, a `.png` file.
        ages: Ages that the faces show, in years.
        seed: Who is drawn.
        side: Pixels of a face.

    Examples:
        >>> import tempfile
        >>> contact_sheet(Path(tempfile.mkdtemp()) / "sheet.png", ages=(5, 50)).name
        'sheet.png'
    """
    require_opencv()
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ConfigError(f"expected a file name ending in .png, got {str(path)!r}, rename it")
    if not ages or not all(0 <= age <= OLDEST for age in ages):
        raise ConfigError(f"expected ages in 0..{OLDEST:g}, got {list(ages)}, correct them")
    rows = []
    for row, ethnicity in enumerate(CHALLENGE.ethnicity):
        rng = [numpy_rng(seed, "contact", row, column) for column in range(len(ages))]
        people = [_person(age, ethnicity, row + column) for column, age in enumerate(ages)]
        rows.append(np.hstack([draw_face(*pair) for pair in zip(people, rng, strict=True)]))
    size = (side * len(ages), side * len(rows))
    _write(path, np.vstack(rows), size)
    return path


def _person(age: float, ethnicity: str, turn: int) -> Person:
    genders, expressions = list(CHALLENGE.gender), list(CHALLENGE.expression)
    return Person(age, genders[turn % 2], ethnicity, expressions[turn % 4])


def _write(path: Path, sheet: Image, size: tuple[int, int]) -> None:
    """Write without the two lowest bits, which hold noise only: the file is half as large."""
    import cv2

    sheet = cv2.resize(sheet, size, interpolation=cv2.INTER_AREA)
    flags = [cv2.IMWRITE_PNG_COMPRESSION, 9]
    flags += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FILTERED]
    with atomic_path(path) as temporary:
        cv2.imwrite(str(temporary), cv2.cvtColor(sheet & 0xFC, cv2.COLOR_RGB2BGR), flags)
