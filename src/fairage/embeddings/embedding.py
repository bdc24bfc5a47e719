"""Embedding a faces table: every image as it is, or augmented copies of some."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from fairage.datasets.oversampling import CopiedRows
from fairage.embeddings.embed_options import EmbedOptions
from fairage.embeddings.loader import Augmented, CopyLook, Original
from fairage.embeddings.pipeline import Embeddings, embed_requests
from fairage.embeddings.store import Opened
from fairage.exceptions import DataError
from fairage.faces.augmentation import Augmentation
from fairage.tables import Faces

_AT_ONCE = 16
"""Copies of a face that wait for the networks together; more would fill the memory."""


def embed(faces: Faces, options: EmbedOptions, *, opened: Opened | None = None) -> Embeddings:
    """Return the embeddings of all faces, computing only what the store does not hold.

    Whenever the process ends, what was computed stays in the store up to the last few seconds;
    called again, the work goes on from there. Several processes may share a store.

    Args:
        faces: The faces table.
        options: Backbones, store, device, and what an image that cannot be read does.
        opened: What earlier calls have read of the store, so that it is not read again; what this
            one reads is added to it.

    Raises:
        ConfigError: A name, view, device or number makes no sense, or an aligned view has no
            detector.
        DataError: An image cannot be read or its embedding is not finite and `on_error` is `fail`,
            or there is no other.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from fairage.synthetic import synthesize
        >>> from fairage.faces_file import read_faces
        >>> folder = Path(tempfile.mkdtemp())
        >>> faces = read_faces(synthesize(folder / "faces", n=3))
        >>> options = EmbedOptions(backbones="embedded", store=folder / "store", precision="fp32")
        >>> embed(faces, options).values.shape
        (3, 192)
    """
    requests = [Original(row, image) for row, image in enumerate(faces.images)]
    return embed_requests(requests, options, "embedding", {} if opened is None else opened)


def embed_copies(
    faces: Faces,
    copied: CopiedRows,
    augmentation: Augmentation,
    options: EmbedOptions,
    *,
    seed: int = 0,
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
        options: As in `embed`; the store is the one of the faces themselves too.
        seed: Settles how the copies look.
        opened: What earlier calls have read of the store, as in `embed`.

    Returns:
        One value a copy, in the order of `copied`; those of images that cannot be read are missing.

    Raises:
        ConfigError: As `embed`.
        DataError: As `embed`, or there is no copy.

    Examples:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from fairage.datasets.oversampling import make_copies
        >>> from fairage.synthetic import synthesize
        >>> from fairage.faces.augmentation import make_augmentation
        >>> from fairage.faces_file import read_faces
        >>> folder = Path(tempfile.mkdtemp())
        >>> faces = read_faces(synthesize(folder / "faces", n=4)).rows(np.arange(2))
        >>> copied = make_copies("all", times=2).choose(faces.frame)
        >>> options = EmbedOptions(backbones="embedded", store=folder / "store", precision="fp32")
        >>> embeddings = embed_copies(faces, copied, make_augmentation("kit"), options)
        >>> embeddings.rows.tolist(), embeddings.values.shape, embeddings.new
        ([0, 0, 1, 1], (4, 192), 4)
    """
    if not len(copied.rows):
        raise DataError(
            "expected one copy or more to embed, got none, leave the augmentation out or choose "
            "other rows to copy"
        )
    requests = list(_requests(faces.images, copied, CopyLook(augmentation, seed)))
    return embed_requests(requests, options, "embedding copies", {} if opened is None else opened)


def _requests(images: Sequence[str], copied: CopiedRows, look: CopyLook) -> Iterator[Augmented]:
    pairs = zip(copied.rows.tolist(), copied.copies.tolist(), strict=True)
    for row, of in groupby(pairs, key=lambda pair: pair[0]):
        numbers = tuple(copy for _, copy in of)
        for start in range(0, len(numbers), _AT_ONCE):
            yield Augmented(row, images[row], numbers[start : start + _AT_ONCE], look)
