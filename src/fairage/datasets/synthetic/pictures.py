"""Drawing the pictures of a people's table to files, in one process or several."""

from collections.abc import Iterator
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from fairage.datasets.dataset import ETHNICITY, EXPRESSION, GENDER
from fairage.datasets.synthetic.drawing import Person, draw_face
from fairage.datasets.synthetic.people import VISIBLE_AGE
from fairage.files import atomic_path, new_folder
from fairage.processes import process_pool
from fairage.seeding import numpy_rng
from fairage.tables import IMAGE

__all__ = ["draw_pictures"]

_CHUNK = 100
_QUALITY = 92


@dataclass(frozen=True)
class _Picture:
    """One file to draw."""

    path: Path
    number: int
    person: Person


def draw_pictures(people: pl.DataFrame, seed: int, out: Path, *, workers: int) -> Iterator[int]:
    """Draw the pictures that are not there yet; yield how many more are done.

    Each picture depends on the seed and its row only, so any number of workers gives the same
    files.

    Args:
        people: What `draw_people` returns.
        seed: The seed it was given.
        out: Folder that the paths of the images start from.
        workers: Processes; with 1, everything is drawn in this one.
    """
    new_folder((out / people[IMAGE][0]).parent)
    pictures = [p for p in _pictures(people, out) if not p.path.is_file()]
    yield len(people) - len(pictures)
    chunks = [pictures[k : k + _CHUNK] for k in range(0, len(pictures), _CHUNK)]
    if workers == 1 or len(chunks) <= 1:
        with _one_thread():
            for chunk in chunks:
                yield _draw(chunk, seed)
        return
    with process_pool(min(workers, len(chunks)), _prepare_worker) as pool:
        running = [pool.submit(_draw, chunk, seed) for chunk in chunks]
        for done in as_completed(running):
            yield done.result()


def _pictures(people: pl.DataFrame, out: Path) -> Iterator[_Picture]:
    columns = (IMAGE, VISIBLE_AGE, GENDER, ETHNICITY, EXPRESSION)
    for number, (image, *person) in enumerate(people.select(columns).iter_rows()):
        yield _Picture(out / image, number, Person(*person))


def _draw(pictures: list[_Picture], seed: int) -> int:
    """Draw and write some pictures, each file whole or not at all; return how many."""
    import cv2

    for picture in pictures:
        image = draw_face(picture.person, numpy_rng(seed, "face", picture.number))
        flags = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), flags)
        with atomic_path(picture.path) as temporary:
            temporary.write_bytes(data.tobytes())
    return len(pictures)


def _prepare_worker() -> None:
    import cv2

    cv2.setNumThreads(1)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Give OpenCV one thread while the block runs, as in a worker."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
