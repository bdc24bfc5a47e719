"""How fast `predict` is: beside a bare loop that does the same work, and from crops.

Run: python benchmarks/predict.py [--pictures 400] [--rounds 3] [--model BUNDLE]

Pictures are scikit-image's photograph of an astronaut, shifted and scaled, so that no two are the
same. The bare loop decodes, detects, warps and runs the session on batches, with as many threads
as `predict` has, and keeps nothing but the ages. It decodes with the same checks as `predict`, and
once more with OpenCV alone, which takes files that are cut short for whole ones. All are measured
in turn, several times, and the best of each counts, as other work only ever slows them down.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from fairage._images import decode_image
from fairage._random import numpy_rng
from fairage._work import usable_processors
from fairage.prediction import Model, load

BATCH = 32
FACES = 512
BARE, UNCHECKED, PREDICT = "a bare loop", "a bare loop that checks no file", "predict"

Pixels = NDArray[np.uint8]


def main() -> None:
    """Print pictures a second, and faces a second from decoded crops, on the cores given."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", help="a bundle; the model in the box if unset")
    given = parser.parse_args()
    model = load(given.model)
    with tempfile.TemporaryDirectory() as folder:
        paths = draw_pictures(Path(folder), given.pictures)
        names = [str(path) for path in paths]
        works: dict[str, Callable[[], object]] = {
            BARE: lambda: bare(model, paths, checked),
            UNCHECKED: lambda: bare(model, paths, unchecked),
            PREDICT: lambda: model.predict(names),
        }
        best = dict.fromkeys(works, 0.0)
        for _ in range(given.rounds):
            for name, work in works.items():
                best[name] = max(best[name], rate(work, len(paths)))
    for name, value in best.items():
        print(f"{name:36} {value:7.1f} pictures/s")
    print(f"predict has {best[PREDICT] / best[BARE]:.0%} of the bare loop's speed")
    print(f"from decoded crops: {crops_a_second(model, given.rounds):.0f} faces/s")


def draw_pictures(folder: Path, n: int) -> list[Path]:
    """Write n photographs of one face each as JPEG files."""
    rng, paths = numpy_rng(0, "predict benchmark"), []
    for number in range(n):
        matrix = np.array([[1, 0, rng.uniform(-40, 40)], [0, 1, rng.uniform(-10, 40)]])
        matrix[:, :2] *= rng.uniform(0.9, 1.1)
        picture = cv2.warpAffine(
            np.asarray(data.astronaut())[..., ::-1],
            matrix,
            (512, 512),
            borderMode=cv2.BORDER_REFLECT,
        )
        paths.append(folder / f"{number:05d}.jpg")
        cv2.imwrite(str(paths[-1]), picture)
    return paths


def checked(path: Path) -> Pixels:
    """Return the pixels of a file that is whole."""
    return decode_image(path.read_bytes())


def unchecked(path: Path) -> Pixels:
    """Return the pixels that OpenCV makes of a file."""
    picture = cv2.imread(str(path))
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_BGR2RGB), dtype=np.uint8)


def bare(model: Model, paths: list[Path], decode: Callable[[Path], Pixels]) -> list[float]:
    """Return ages as a loop gives them that one would write by hand."""
    (face,) = model.network.inputs
    view, geometry = face.photograph, face.preprocessing

    def cut(path: Path) -> list[Pixels]:
        image = decode(path)
        found = model.detector.faces(image)
        return [
            geometry.resized(view.apply(image, each.landmarks, side=geometry.side))
            for each in found
        ]

    ages: list[float] = []
    with ThreadPoolExecutor(usable_processors()) as pool:
        for start in range(0, len(paths), BATCH):
            crops = [
                crop for crops in pool.map(cut, paths[start : start + BATCH]) for crop in crops
            ]
            ages += model.network.estimate([np.stack(crops)])[0].tolist()
    return ages


def crops_a_second(model: Model, rounds: int) -> float:
    """Return how many faces a second the network estimates from decoded crops, in batches."""
    (face,) = model.network.inputs
    size = (FACES, face.preprocessing.height, face.preprocessing.width, 3)
    pixels = numpy_rng(0, "crops").integers(0, 256, size, dtype=np.uint8)

    def run() -> None:
        for start in range(0, FACES, BATCH):
            model.network.estimate([pixels[start : start + BATCH]])

    return max(rate(run, FACES) for _ in range(rounds))


def rate(work: Callable[[], object], n: int) -> float:
    """Return how many of n a second this work does."""
    started = time.perf_counter()
    work()
    return n / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
