"""Synthetic faces in a folder: pictures, faces table, and the truth about them."""

import json
from collections.abc import Sequence
from pathlib import Path

from fairage._tables_io import write_table
from fairage.datasets.synthetic.biases import GroupBias
from fairage.datasets.synthetic.opencv import require_opencv
from fairage.datasets.synthetic.people import DRAWN_COLUMNS, TRUTH_COLUMNS, draw_people
from fairage.datasets.synthetic.pictures import draw_pictures
from fairage.datasets.synthetic.population import CHALLENGE, Population
from fairage.datasets.synthetic.request import IMAGES, STARTED, TRUTH, Request, claim, is_done
from fairage.datasets.synthetic.truth import tell_truth
from fairage.exceptions import ConfigError
from fairage.files import write_text
from fairage.progress import progress_bar

__all__ = ["synthesize"]

_FACES_TABLE, _TRUTH_TABLE = "faces.parquet", "truth.parquet"


def synthesize(
    out: Path,
    *,
    n: int = 3000,
    seed: int = 0,
    population: Population = CHALLENGE,
    biases: Sequence[GroupBias] = (),
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
    request = Request.checked(n, seed, population, biases)
    tables = (out / _FACES_TABLE, out / _TRUTH_TABLE)
    if not is_done(out, request) or not all(table.is_file() for table in tables):
        _make(out, request, workers)
    return out / _FACES_TABLE


def _make(out: Path, request: Request, workers: int) -> None:
    """Draw what is missing; `truth.json` comes last and tells that all is there."""
    claim(out, request)
    (out / TRUTH).unlink(missing_ok=True)
    people = draw_people(request.n, request.seed, request.population, request.biases)
    with progress_bar("drawing", request.n, unit="faces") as advance:
        for done in draw_pictures(people, request.seed, out, workers=workers):
            advance(done)
    for left in (out / IMAGES).glob(".*"):
        left.unlink(missing_ok=True)
    write_table(people.select(DRAWN_COLUMNS), out / _FACES_TABLE)
    write_table(people.select(TRUTH_COLUMNS), out / _TRUTH_TABLE)
    told = json.dumps(tell_truth(people, request), indent=2, ensure_ascii=False)
    write_text(out / TRUTH, told + "\n")
    (out / STARTED).unlink(missing_ok=True)
