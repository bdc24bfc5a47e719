"""A whole picture: scene, sitter, camera."""

import numpy as np

from fairage.datasets.synthetic.drawing.beard import draw_beard
from fairage.datasets.synthetic.drawing.brows import draw_brows
from fairage.datasets.synthetic.drawing.complexion import draw_complexion
from fairage.datasets.synthetic.drawing.eyes import draw_eyes
from fairage.datasets.synthetic.drawing.hair import draw_back_hair, draw_hair
from fairage.datasets.synthetic.drawing.head import draw_ears, draw_head, draw_neck
from fairage.datasets.synthetic.drawing.mouth import draw_mouth
from fairage.datasets.synthetic.drawing.nose import draw_nose
from fairage.datasets.synthetic.drawing.person import Person
from fairage.datasets.synthetic.drawing.scene import background, camera, shoulders
from fairage.datasets.synthetic.drawing.sitter import Sitter, draw_sitter
from fairage.datasets.synthetic.drawing.strokes import Image

__all__ = ["SIZE", "draw_face"]

SIZE = 112
"""Side of a picture in pixels."""


def draw_face(person: Person, rng: np.random.Generator) -> Image:
    """Return the picture of a person, RGB, shape `(112, 112, 3)`.

    Everything that is not told by `person` comes from `rng`; the same person and generator give
    the same picture.

    Args:
        person: Groups, and the age to show.
        rng: The face's own chance.

    Examples:
        >>> person = Person(age=34, gender="female", ethnicity="asian", expression="happy")
        >>> draw_face(person, np.random.default_rng(0)).shape
        (112, 112, 3)
    """
    scene, sitting, head, photo = rng.spawn(4)
    sitter = draw_sitter(person, sitting)
    canvas = background(scene)
    shoulders(canvas, sitter.pose, scene)
    _draw_sitter(canvas, sitter, head)
    return camera(canvas, SIZE, photo)


def _draw_sitter(canvas: Image, sitter: Sitter, rng: np.random.Generator) -> None:
    """Draw from the back to the front."""
    own = rng.spawn(6)
    draw_back_hair(canvas, sitter, own[0])
    draw_neck(canvas, sitter)
    draw_ears(canvas, sitter)
    mask = draw_head(canvas, sitter)
    draw_complexion(canvas, sitter, mask, own[1])
    draw_nose(canvas, sitter)
    draw_beard(canvas, sitter, own[2])
    draw_mouth(canvas, sitter)
    draw_eyes(canvas, sitter, own[3])
    draw_brows(canvas, sitter, own[4])
    draw_hair(canvas, sitter, own[5])
