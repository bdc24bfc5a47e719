"""Faces as another photograph might show them, for the training of the model in the box."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from boxed.faces import Pixels


def changed(pictures: list[Pixels], side: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return faces as another photograph might show them, `(n, side, side, 3)`, 0..255.

    Crops of 78 % or more, turned by up to 11 degrees, stretched, mirrored, in other light and
    colours, some grey, some blurred, some with a part covered.
    """
    n = len(pictures)
    cut = np.stack([_cut(picture, side, rng) for picture in pictures]).astype(np.float32)
    column = (n, 1, 1, 1)
    relit = (rng.random(column) < 0.8).astype(np.float32)
    mean = cut.mean(axis=(1, 2, 3), keepdims=True)
    contrast = 1 + relit * rng.uniform(-0.3, 0.3, column)
    light = 1 + relit * rng.uniform(-0.25, 0.25, column)
    cut = (cut - mean) * contrast.astype(np.float32) + mean * light.astype(np.float32)
    colour = 1 + relit * rng.uniform(-0.5, 0.4, column)
    colour = np.where(rng.random(column) < 0.05, 0, colour).astype(np.float32)
    grey = cut @ np.array([[0.299], [0.587], [0.114]], dtype=np.float32)
    cut = grey + (cut - grey) * colour
    for row in np.flatnonzero(rng.random(n) < 0.25):
        _cover(cut[row], rng)
    return np.asarray(cut.clip(0, 255), dtype=np.float32)


def _cut(picture: Pixels, side: int, rng: np.random.Generator) -> Pixels:
    room = picture.shape[0]
    scale = rng.uniform(0.78, 1.0) * room / side
    stretch, turn = math.exp(rng.uniform(-0.08, 0.08)), math.radians(rng.uniform(-11, 11))
    x_scale = scale * stretch * (-1 if rng.random() < 0.5 else 1)
    y_scale = scale / stretch
    free = room - scale * side
    middle = room / 2 - 0.5 + rng.uniform(-0.5, 0.5, 2) * free
    cosine, sine = math.cos(turn), math.sin(turn)
    matrix = np.array([[x_scale * cosine, -y_scale * sine], [x_scale * sine, y_scale * cosine]])
    half = (side - 1) / 2
    shift = middle - matrix @ (half, half)
    if rng.random() < 0.15:
        picture = np.asarray(cv2.GaussianBlur(picture, (3, 3), 0), dtype=np.uint8)
    warped = cv2.warpAffine(
        picture,
        np.column_stack([matrix, shift]),
        (side, side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped, dtype=np.uint8)


def _cover(picture: NDArray[np.float32], rng: np.random.Generator) -> None:
    side = picture.shape[0]
    area, shape = rng.uniform(0.02, 0.12) * side * side, math.exp(rng.uniform(-0.7, 0.7))
    height = min(side, int(math.sqrt(area * shape)) + 1)
    width = min(side, int(math.sqrt(area / shape)) + 1)
    top, left = rng.integers(0, side - height + 1), rng.integers(0, side - width + 1)
    picture[top : top + height, left : left + width] = rng.uniform(0, 255, 3)
