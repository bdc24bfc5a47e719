"""A whole picture: scene, sitter, camera."""

import numpy as np
from numpy.typing import NDArray

from fairage.synthetic.drawing.canvas import Image, closed, fill, noise
from fairage.synthetic.drawing.features import draw_brows, draw_eyes, draw_mouth, draw_nose
from fairage.synthetic.drawing.geometry import CANVAS, Pose
from fairage.synthetic.drawing.hair import draw_back_hair, draw_beard, draw_hair
from fairage.synthetic.drawing.person import Person
from fairage.synthetic.drawing.sitter import Sitter, draw_sitter
from fairage.synthetic.drawing.skin import draw_complexion, draw_ears, draw_head, draw_neck


def background(rng: np.random.Generator) -> Image:
    """Return a canvas with a soft, blurred scene."""
    import cv2

    base = rng.uniform(30, 225) + rng.uniform(-40, 40, 3)
    coarse = base + rng.uniform(5, 35) * rng.standard_normal((4, 4, 1))
    coarse += rng.uniform(0, 18) * rng.standard_normal((4, 4, 3))
    small = np.clip(coarse, 5, 250).astype(np.uint8)
    scene: Image = cv2.resize(small, (CANVAS, CANVAS), interpolation=cv2.INTER_CUBIC)
    return scene


def shoulders(canvas: Image, pose: Pose, rng: np.random.Generator) -> None:
    """Draw clothes."""
    colour = rng.uniform(15, 230) + rng.uniform(-45, 45, 3)
    width, drop = rng.uniform(1.5, 2.0), rng.uniform(1.62, 1.82)
    half = np.array(
        [(0.0, drop + 0.12), (0.42, drop - 0.12), (0.8, drop), (width, drop + 0.3),
         (width + 0.3, 3.2)]
    )  # fmt: skip
    left = half[:0:-1] * (-1.0, 1.0)
    fill(
        canvas,
        closed(pose.at_depth(np.vstack([half, left]), -0.3)),
        tuple(np.clip(colour, 5, 250).tolist()),
    )


def camera(canvas: Image, size: int, rng: np.random.Generator) -> Image:
    """Return what a camera makes of it: light, blur, noise, at the size that is wanted."""
    import cv2

    image = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    blur = abs(rng.normal(0, 0.55)) * size / 112
    if blur > 0.35:
        image = cv2.GaussianBlur(image, (0, 0), min(blur, 1.5))
    photo = image.astype(np.float32)
    photo *= cv2.resize(_light(rng), (size, size), interpolation=cv2.INTER_LINEAR)
    contrast, grey = float(np.exp(0.10 * rng.standard_normal())), rng.random() < 0.06
    if grey:
        photo = np.repeat(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    photo -= 118
    photo *= contrast
    photo += 118
    strength = np.float32(abs(rng.normal(0, 3.0)) + 0.8)
    top, left = rng.integers(0, noise().shape[0] - size, 2)
    photo += strength * noise()[top : top + size, left : left + size]
    pixels: Image = np.clip(photo, 0, 255).astype(np.uint8)
    return pixels


def _light(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return gains `(2, 2, 3)`: brighter from one side, warmer or colder."""
    gain = np.exp(0.13 * rng.standard_normal())
    warm = np.exp(np.array([0.05, 0.0, -0.05]) * rng.standard_normal())
    side, above = np.clip(0.13 * rng.standard_normal(2), -0.35, 0.35)
    corners = 1 + np.array([[side + above, above - side], [side - above, -side - above]])
    gains: NDArray[np.float32] = (gain * corners[..., None] * warm).astype(np.float32)
    return gains


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
