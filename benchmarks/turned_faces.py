"""How many turned faces have the landmarks of the upright face. Prints a Markdown table.

Run: python benchmarks/turned_faces.py PICTURE_FOLDER [--faces 40] [--detector FILE]

Pictures are turned about their middle, within their frame and in one that grows with the slant, so
that nothing is cut off and the face is seen smaller. Landmarks are right where they are, on average
over the five, within a tenth of the distance between the eyes of the upright ones turned alike.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fairage._images import decode_image, read_image_bytes
from fairage._random import numpy_rng
from fairage.faces import FaceDetector, find_detector

ANGLES = (0, 45, -45, 90, -90, 135, -135, 180)
RIGHT = 0.1

Size = tuple[int, int]
"""Width and height."""
Face = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""An upright picture and its landmarks."""


def turning(size: Size, angle: float, *, grows: bool) -> tuple[NDArray[np.float64], Size]:
    """Return the matrix `(2, 3)` that turns a picture of this size, and the size of the result."""
    matrix = cv2.getRotationMatrix2D(((size[0] - 1) / 2, (size[1] - 1) / 2), angle, 1.0)
    if not grows:
        return matrix, size
    around = np.abs(matrix[:, :2]) @ size
    matrix[:, 2] += (around - size) / 2
    width, height = np.ceil(around).astype(int).tolist()
    return matrix, (width, height)


def is_right(detector: FaceDetector, face: Face, angle: float, *, grows: bool) -> bool:
    """Return whether the landmarks in a turned picture are those of the upright one."""
    image, upright = face
    matrix, size = turning(image.shape[1::-1], angle, grows=grows)
    found = detector.landmarks(cv2.warpAffine(image, matrix, size))
    if found is None:
        return False
    expected = upright @ matrix[:, :2].T + matrix[:, 2]
    distance = np.linalg.norm(found - expected, axis=1).mean()
    return bool(distance <= RIGHT * np.linalg.norm(upright[0] - upright[1]))


def main() -> None:
    """Turn faces and look for them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--detector", type=Path)
    parser.add_argument("--faces", type=int, default=40)
    options = parser.parse_args()
    detector = find_detector(options.detector)
    paths = sorted(options.folder.glob("*.jpg"))
    faces = []
    for number in numpy_rng(0, "turned faces").permutation(len(paths)):
        image = decode_image(read_image_bytes(str(paths[number])))
        upright = detector.landmarks(image)
        if upright is not None:
            faces.append((image, upright))
        if len(faces) == options.faces:
            break
    print("| frame |", " | ".join(map(str, ANGLES)), "|")
    print("|---|" + "---:|" * len(ANGLES))
    for name, grows in (("the same", False), ("grows", True)):
        counts = [
            sum(is_right(detector, face, angle, grows=grows) for face in faces) for angle in ANGLES
        ]
        print(f"| {name} |", " | ".join(map(str, counts)), "|")


if __name__ == "__main__":
    main()
