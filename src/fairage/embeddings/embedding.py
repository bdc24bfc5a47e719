"""Embedding a faces table: every image as it is."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Literal

from fairage.datasets.oversampling import CopiedRows
from fairage.embeddings.loader import Chance, Changed, Itself
from fairage.embeddings.options import BackboneSpec
from fairage.embeddings.pipeline import Embeddings, Machine, Way, embed_wanted
from fairage.embeddings.store import Opened
from fairage.exceptions import DataError
from fairage.faces.augmentation import Augmentation
from fairage.tables import Faces

__all__ = ["embed", "embed_copies"]


def embed(
    faces: Faces,
    backbones: Sequence[BackboneSpec],
    *,
    store: Path,
    batch_size: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    detector: Path | None = None,
    on_error: Literal["skip", "fail"] = "fail",
    progress: bool = True,
    opened: Opened | None = None,
) -> Embeddings:
    """Return the embeddings of all faces, computing only what the store does not hold.

    Whenever the process ends, what was computed stays in the store up to the last few seconds;
    called again, the work goes on from there. Several processes may share a store.

    Args:
        faces: The faces table.
        backbones: Their embeddings are put side by side.
        store: Folder of the embedding store; made if it is not there.
        batch_size: Images that go through a network at once; None for what suits the device.
        device: A torch device, or `auto`: the GPU where there is one.
        precision: `fp32`, `bf16`, or `auto`: bf16 where the machine is fast in it and the
            backbone, tried on some of the images, agrees with fp32 in it.
        detector: File of the face detector for aligned views; None for what the environment
            variable `FAIRAGE_DETECTOR` names.
        on_error: Whether an image that cannot be read ends the run or is listed and left out.
        progress: Whether to show a bar on a terminal.
        opened: What earlier calls have read of the store, so that it is not read again; what this
            one reads is added to it.

    Raises:
        ConfigError: A name, view, device or number makes no sense, or an aligned view has no
            detector.
        DataError: An image cannot be read and `on_error` is `fail`, or none can be read.
    """
    machine = Machine(device, precision, batch_size)
    bar = "embedding" if progress else None
    way = Way(machine, detector, on_error, bar, {} if opened is None else opened)
    wanted = [Itself(row, image) for row, image in enumerate(faces.images)]
    return embed_wanted(wanted, backbones, Path(store), way)


_AT_ONCE = 16
"""Copies of a face that wait for the networks together; more would fill the memory."""


def embed_copies(
    faces: Faces,
    copied: CopiedRows,
    augmentation: Augmentation,
    backbones: Sequence[BackboneSpec],
    *,
    store: Path,
    seed: int = 0,
    batch_size: int | None = None,
    device: str = "auto",
    precision: str = "auto",
    detector: Path | None = None,
    on_error: Literal["skip", "fail"] = "fail",
    progress: bool = True,
    opened: Opened | None = None,
) -> Embeddings:
    """Return the embeddings of augmented copies, computing only what the store does not hold.

    What a network sees of a face, after the view and resizing, is changed and then embedded. How a
    copy looks depends on the image's bytes, the augmentation, the seed and the number of the copy
    alone, so that several tables and choices of copies share what is stored.

    Args:
        faces: The faces whose rows `copied` numbers: the training rows, and no others.
        copied: Which of them are copied how often.
        augmentation: What changes the copies.
        backbones: As in `embed`, like the options that are not told here.
        store: Folder of the embedding store, the one of the faces themselves too.
        seed: Settles how the copies look.
        batch_size: Images that go through a network at once.
        device: A torch device, or `auto`.
        precision: `fp32`, `bf16` or `auto`.
        detector: File of the face detector for aligned views.
        on_error: What an image that cannot be read does.
        progress: Whether to show a bar on a terminal.
        opened: What earlier calls have read of the store, as in `embed`.

    Returns:
        One value a copy, in the order of `copied`; those of images that cannot be read are missing.

    Raises:
        ConfigError: As `embed`.
        DataError: As `embed`, or there is no copy.

    Examples:
        >>> import tempfile
        >>> import numpy as np
        >>> from fairage.datasets.oversampling import make_copies
        >>> from fairage.synthetic import synthesize
        >>> from fairage.faces.augmentation import make_augmentation
        >>> from fairage.tables import read_faces
        >>> folder = Path(tempfile.mkdtemp())
        >>> faces = read_faces(synthesize(folder / "faces", n=4)).rows(np.arange(2))
        >>> copied = make_copies("all", times=2).choose(faces.frame)
        >>> backbone = BackboneSpec.parse("embedded")
        >>> options = {"store": folder / "store", "precision": "fp32"}
        >>> found = embed_copies(faces, copied, make_augmentation("kit"), [backbone], **options)
        >>> found.rows.tolist(), found.values.shape, found.new
        ([0, 0, 1, 1], (4, 192), 4)
    """
    if not len(copied.rows):
        raise DataError(
            "expected one copy or more to embed, got none, leave the augmentation out or choose "
            "other rows to copy"
        )
    machine = Machine(device, precision, batch_size)
    bar = "embedding copies" if progress else None
    way = Way(machine, detector, on_error, bar, {} if opened is None else opened)
    wanted = list(_wanted(faces.images, copied, Chance(augmentation, seed)))
    return embed_wanted(wanted, backbones, Path(store), way)


def _wanted(images: Sequence[str], copied: CopiedRows, chance: Chance) -> Iterator[Changed]:
    pairs = zip(copied.rows.tolist(), copied.copies.tolist(), strict=True)
    for row, of in groupby(pairs, key=lambda pair: pair[0]):
        numbers = tuple(copy for _, copy in of)
        for start in range(0, len(numbers), _AT_ONCE):
            yield Changed(row, images[row], numbers[start : start + _AT_ONCE], chance)
