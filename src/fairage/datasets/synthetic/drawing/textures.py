"""Fixed patterns that skin, hair and noise are cut out of; each face takes a random piece."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fairage.datasets.synthetic.drawing.pose import CANVAS
from fairage.datasets.synthetic.drawing.strokes import Image
from fairage.seeding import numpy_rng

__all__ = ["curls", "cut", "grain", "noise", "skin", "strands"]

_SIDE = 512


@lru_cache(maxsize=1)
def strands() -> Image:
    """Return upright strands of hair; every value 0..255 is as frequent."""
    return _ranked([((1.3, 14.0), 1.0), ((3.0, 40.0), 0.5)], "strands")


@lru_cache(maxsize=1)
def curls() -> Image:
    """Return tight curls; every value 0..255 is as frequent."""
    return _ranked([((1.6, 1.6), 1.0), ((4.0, 4.0), 0.8)], "curls")


@lru_cache(maxsize=1)
def grain() -> Image:
    """Return fine grain, for stubble and brows; every value 0..255 is as frequent."""
    return _ranked([((0.8, 1.6), 1.0)], "grain")


@lru_cache(maxsize=1)
def skin() -> Image:
    """Return blotches and pores; every value 0..255 is as frequent."""
    return _ranked([((1.2, 1.2), 0.7), ((4.0, 3.0), 0.8), ((10.0, 10.0), 1.0)], "skin")


@lru_cache(maxsize=1)
def noise() -> NDArray[np.float32]:
    """Return a camera's noise, standard normal, shape `(side, side, 3)`."""
    return numpy_rng(0, "texture", "noise").standard_normal((_SIDE, _SIDE, 3), np.float32)


def cut(texture: Image, rng: np.random.Generator, side: int = CANVAS) -> Image:
    """Return a random square of a texture."""
    top, left = rng.integers(0, _SIDE - side, 2)
    return texture[top : top + side, left : left + side]


def _ranked(layers: list[tuple[tuple[float, float], float]], name: str) -> Image:
    """Return noise smoothed by each layer's width and height, mixed, spread evenly on 0..255."""
    import cv2

    rng = numpy_rng(0, "texture", name)
    mixed = np.zeros((_SIDE, _SIDE))
    for (across, down), share in layers:
        white = rng.standard_normal((_SIDE, _SIDE))
        smooth = cv2.GaussianBlur(white, (0, 0), sigmaX=across, sigmaY=down)
        mixed += share * smooth / smooth.std()
    ranks = mixed.ravel().argsort().argsort()
    return (ranks * 256 // ranks.size).astype(np.uint8).reshape(_SIDE, _SIDE)
