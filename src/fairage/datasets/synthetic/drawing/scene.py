"""What is not the face: background, shoulders, light, and the camera."""

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.synthetic.drawing.pose import CANVAS, Pose
from fairage.datasets.synthetic.drawing.strokes import Image, closed, fill
from fairage.datasets.synthetic.drawing.textures import noise

__all__ = ["background", "camera", "shoulders"]


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
    taken: Image = np.clip(photo, 0, 255).astype(np.uint8)
    return taken


def _light(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return gains `(2, 2, 3)`: brighter from one side, warmer or colder."""
    gain = np.exp(0.13 * rng.standard_normal())
    warm = np.exp(np.array([0.05, 0.0, -0.05]) * rng.standard_normal())
    side, above = np.clip(0.13 * rng.standard_normal(2), -0.35, 0.35)
    corners = 1 + np.array([[side + above, above - side], [side - above, -side - above]])
    gains: NDArray[np.float32] = (gain * corners[..., None] * warm).astype(np.float32)
    return gains
