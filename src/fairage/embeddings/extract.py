"""Embedding a faces table: every image as it is."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from fairage.embeddings.opening import Machine
from fairage.embeddings.results import Embeddings
from fairage.embeddings.spec import BackboneSpec
from fairage.embeddings.store import Opened
from fairage.embeddings.wanted import Itself
from fairage.embeddings.work import Way, embed_wanted
from fairage.tables import Faces

__all__ = ["embed"]


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
