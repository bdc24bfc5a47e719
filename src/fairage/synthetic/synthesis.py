"""Drawing faces into a folder: pictures, tables and the truth; a contact sheet of them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from fairage._files import atomic_path, new_folder, sealed, sync_files, write_text
from fairage._image_containers import read_container
from fairage._random import numpy_rng
from fairage._tables_io import write_table
from fairage._work import as_done, process_pool, progress_bar
from fairage.age_groups import AgeGroups
from fairage.datasets.dataset import ETHNICITY, EXPRESSION, GENDER
from fairage.exceptions import ConfigError, DataError, MissingDependencyError
from fairage.synthetic.drawing import Person, draw_face
from fairage.synthetic.drawing.canvas import Image
from fairage.synthetic.people import DRAWN_COLUMNS, TRUTH_COLUMNS, VISIBLE_AGE, draw_people
from fairage.synthetic.population import CHALLENGE, OLDEST, GroupBias, Population
from fairage.synthetic.truth import IMAGES, STARTED, TRUTH, Request, claim, is_done, tell_truth
from fairage.tables import IMAGE

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
    _, data = cv2.imencode(".png", cv2.cvtColor(sheet & 0xFC, cv2.COLOR_RGB2BGR), flags)
    with atomic_path(path) as temporary:
        temporary.write_bytes(data.tobytes())


_CHUNK = 100
_QUALITY = 92


@dataclass(frozen=True)
class _Picture:
    """One file to draw."""

    path: Path
    number: int
    person: Person


def draw_pictures(people: pl.DataFrame, seed: int, out: Path, *, workers: int) -> Iterator[int]:
    """Draw the pictures that are not there whole yet; yield how many more are done.

    Each picture depends on the seed and its row only, so any number of workers gives the same
    files. Nothing waits until they are on the disk, see `sync_files`: a machine that loses its
    power may leave half of one.

    Args:
        people: What `draw_people` returns.
        seed: The seed it was given.
        out: Folder that the paths of the images start from.
        workers: Processes; with 1, everything is drawn in this one.
    """
    new_folder((out / people[IMAGE][0]).parent)
    pictures = [p for p in _pictures(people, out) if not _is_whole(p.path)]
    yield len(people) - len(pictures)
    chunks = [pictures[k : k + _CHUNK] for k in range(0, len(pictures), _CHUNK)]
    if workers == 1 or len(chunks) <= 1:
        with _one_thread():
            for chunk in chunks:
                yield _draw(chunk, seed)
        return
    with process_pool(min(workers, len(chunks)), _prepare_worker) as pool:
        running = [pool.submit(_draw, chunk, seed) for chunk in chunks]
        for done in as_done(running):
            yield done.result()


def _pictures(people: pl.DataFrame, out: Path) -> Iterator[_Picture]:
    columns = (IMAGE, VISIBLE_AGE, GENDER, ETHNICITY, EXPRESSION)
    for number, (image, *person) in enumerate(people.select(columns).iter_rows()):
        yield _Picture(out / image, number, Person(*person))


def _is_whole(path: Path) -> bool:
    try:
        read_container(path.read_bytes())
    except (FileNotFoundError, DataError):
        return False
    return True


def _draw(pictures: list[_Picture], seed: int) -> int:
    """Draw and write some pictures, each file whole or not at all; return how many."""
    import cv2

    for picture in pictures:
        image = draw_face(picture.person, numpy_rng(seed, "face", picture.number))
        flags = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]
        _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), flags)
        with atomic_path(picture.path, sync=False) as temporary:
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


def require_opencv() -> None:
    """Say what to install where OpenCV is missing.

    Examples:
        >>> require_opencv()
    """
    try:
        import cv2  # noqa: F401  # only whether it is there
    except ImportError as error:
        raise MissingDependencyError.for_extra("opencv-python-headless", "train") from error


_FACES_TABLE, _TRUTH_TABLE = "faces.parquet", "truth.parquet"


def synthesize(
    out: Path,
    *,
    n: int = 3000,
    seed: int = 0,
    population: Population = CHALLENGE,
    biases: Sequence[GroupBias] = (),
    age_groups: AgeGroups | None = None,
    workers: int = 1,
) -> Path:
    """Draw faces into a folder and return the path of their faces table.

    The folder holds `images/`, `faces.parquet`, `truth.parquet` (what each face shows and how
    its label errs) and `truth.json` (the request, the biases in words, the error to expect in
    each group). If it holds the faces of the same request already, nothing is drawn; if drawing
    was interrupted, it goes on.

    Args:
        out: A new or empty folder, or one of the same request.
        n: Faces.
        seed: All chance depends on it.
        population: Shares of the groups.
        biases: Knobs that make a known bias.
        age_groups: Groups of the true age that the table has; shares and biases go by the default
            ones all the same.
        workers: Processes; any number gives the same files.

    Raises:
        ConfigError: A setting is out of its limits.
        DataError: The folder holds something else.
        MissingDependencyError: OpenCV is not installed.

    Examples:
        >>> import tempfile
        >>> table = synthesize(Path(tempfile.mkdtemp()), n=2)
        >>> sorted(path.name for path in table.parent.iterdir())
        ['faces.parquet', 'images', 'truth.json', 'truth.parquet']
    """
    require_opencv()
    if workers < 1:
        raise ConfigError(f"expected 1 or more workers, got {workers!r}, give as many")
    out = Path(out)
    request = Request.checked(n, seed, population, biases, age_groups)
    tables = (out / _FACES_TABLE, out / _TRUTH_TABLE)
    if not is_done(out, request) or not all(table.is_file() for table in tables):
        _make(out, request, workers)
    (out / STARTED).unlink(missing_ok=True)
    return out / _FACES_TABLE


def _make(out: Path, request: Request, workers: int) -> None:
    """Draw what is missing; `truth.json` comes last and tells that all is there."""
    claim(out, request)
    (out / TRUTH).unlink(missing_ok=True)
    people = draw_people(request.n, request.seed, request.population, request.biases)
    with progress_bar("drawing", request.n, unit="faces") as advance:
        for done in draw_pictures(people, request.seed, out, workers=workers):
            advance(done)
    for leftover in (out / IMAGES).glob(".*"):
        leftover.unlink(missing_ok=True)
    sync_files(out / image for image in people[IMAGE])
    write_table(people.select(DRAWN_COLUMNS), out / _FACES_TABLE, request.age_groups)
    write_table(people.select(TRUTH_COLUMNS), out / _TRUTH_TABLE)
    text = json.dumps(sealed(tell_truth(people, request)), indent=2, ensure_ascii=False)
    write_text(out / TRUTH, text + "\n")
