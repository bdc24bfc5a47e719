"""Between the pictures of some rows and the network: onto the device, changed at random, scaled."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from fairage._registry import default_store
from fairage._work import Advance, progress_bar
from fairage.embeddings import BackboneSpec
from fairage.embeddings.opening import open_detections
from fairage.faces import Preprocessing, view_from_name
from fairage.faces.augmentation import Augmentation
from fairage.training.finetuning.pictures import PictureReader, Pictures
from fairage.training.finetuning.resources import Resources
from fairage.training.finetuning.rows import ImageRows

__all__ = ["bar", "open_pictures", "prepared"]

_GIB = 2**30


def open_pictures(
    parts: tuple[ImageRows, ...],
    spec: BackboneSpec,
    preprocessing: Preprocessing,
    resources: Resources,
) -> tuple[Pictures, ...]:
    """Return the pictures of each part; the first ones are kept in memory as far as they fit.

    Raises:
        ConfigError: An aligned view has no detector.
        DataError: An image that is to be kept cannot be read.
    """
    store = resources.store or default_store()
    detections = open_detections([spec], store, resources.detector)
    reader = PictureReader(preprocessing, view_from_name(spec.view), detections)
    found = tuple(Pictures(rows.images, reader) for rows in parts)
    left = resources.memory * _GIB
    for pictures in found:
        if pictures.bytes_all <= left:
            left -= pictures.bytes_all
            with bar("reading pictures", len(pictures), resources) as advance:
                pictures.keep(advance)
    if detections is not None:
        detections.finish()
    return found


def prepared(
    pixels: Tensor,
    preprocessing: Preprocessing,
    device: torch.device,
    *,
    augmentation: Augmentation | None = None,
    mirror: bool = False,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return the network's input `(batch, 3, height, width)` for pixels of bytes.

    Args:
        pixels: Shape `(batch, height, width, 3)`, uint8.
        preprocessing: The backbone's.
        device: Where to.
        augmentation: Changes each picture.
        mirror: Without an augmentation, mirror half of the pictures.
        generator: What the changes are drawn with; the same state gives the same pictures.

    Examples:
        >>> pixels = torch.full((2, 4, 4, 3), 51, dtype=torch.uint8)
        >>> shown = prepared(pixels, Preprocessing(4, 4), torch.device("cpu"))[0, :, 0, 0]
        >>> [round(value, 3) for value in shown.tolist()]
        [0.2, 0.2, 0.2]
    """
    pixels = pixels.to(device, non_blocking=True)
    if augmentation is not None and generator is not None:
        values = pixels.permute(0, 3, 1, 2).float() / 255
        pixels = augmentation.augment_batch(values, generator).permute(0, 2, 3, 1) * 255
    elif mirror and generator is not None:
        mirrored = torch.rand(len(pixels), generator=generator) < 0.5
        chosen = mirrored.to(device)[:, None, None, None]
        pixels = torch.where(chosen, pixels.flip(2), pixels)
    return preprocessing.normalised(pixels).contiguous(memory_format=torch.channels_last)


@contextmanager
def bar(description: str, total: int, resources: Resources) -> Iterator[Advance]:
    """Show a progress bar, unless the resources say not to."""
    if not resources.progress:
        yield lambda _: None
        return
    with progress_bar(description, total, unit="images") as advance:
        yield advance
