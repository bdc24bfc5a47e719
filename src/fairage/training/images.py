"""The pictures of some rows as the backbone sees them: decoded once and kept, or read anew."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fairage._work import in_order, progress_bar, reader_threads
from fairage.embeddings import BackboneSpec, EmbedOptions
from fairage.embeddings.detections import Detections
from fairage.embeddings.loader import decoded_face
from fairage.embeddings.pipeline import open_detections
from fairage.embeddings.store import content_key
from fairage.exceptions import DataError
from fairage.faces import Preprocessing, View, read_image_bytes, view_from_name
from fairage.faces.augmentation import Augmentation
from fairage.training.data import ImageRows

_AHEAD = 64

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class PictureReader:
    """Reads a picture and shows the part of it that the backbone sees.

    Args:
        preprocessing: The backbone's.
        view: The part.
        detections: Landmarks for aligned views, if the view is one.
        workers: Threads that read; unset, what suits the machine.
    """

    preprocessing: Preprocessing
    view: View
    detections: Detections | None = None
    workers: int | None = None

    @property
    def bytes_each(self) -> int:
        """Size of a picture in memory."""
        return self.preprocessing.height * self.preprocessing.width * 3

    def in_order(self, images: Sequence[str]) -> Generator[Image, None, None]:
        """Yield pictures `(height, width, 3)` in order, the next ones being read in threads.

        Raises:
            DataError: An image cannot be read.
        """
        workers = reader_threads(images, self.workers)
        with closing(in_order(images, self._read, ahead=_AHEAD, workers=workers)) as pictures:
            for picture, key, detected in pictures:
                if detected is not None and self.detections is not None:
                    self.detections.add(key, detected)  # in the thread that asks for pictures
                yield picture

    def _read(self, image: str) -> tuple[Image, bytes, NDArray[np.float32] | None]:
        try:
            data = read_image_bytes(image)
            key = content_key(data)
            with decoded_face(data, key, self.detections) as face:
                shown = self.view.apply(face.pixels, face.landmarks, side=self.preprocessing.side)
                return self.preprocessing.resized(shown), key, face.detected
        except DataError as error:
            raise DataError(
                f"expected images that can be read, got {image!r}: {error}; correct it, or leave "
                "its row out"
            ) from error


class Pictures:
    """The pictures of some rows, by row number.

    Args:
        images: Path or URL of each.
        reader: Reads them.
    """

    def __init__(self, images: Sequence[str], reader: PictureReader) -> None:
        self.images, self.reader = images, reader
        self._kept: Tensor | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def bytes_all(self) -> int:
        """Memory that all of them take."""
        return len(self) * self.reader.bytes_each

    def keep(self, advance: Callable[[int], None]) -> None:
        """Read all of them into memory."""
        shape = self.reader.preprocessing.height, self.reader.preprocessing.width, 3
        kept = np.empty((len(self), *shape), dtype=np.uint8)
        for row, picture in enumerate(self.reader.in_order(self.images)):
            kept[row] = picture
            advance(1)
        self._kept = torch.from_numpy(kept)

    def batches(self, order: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield row numbers `(batch,)` and their pixels `(batch, height, width, 3)`, uint8.

        Args:
            order: Row numbers, in the order wanted.
            size: Rows a batch; the last one may have fewer.
        """
        parts = torch.split(order, size)
        if self._kept is not None:
            yield from ((rows, self._kept[rows]) for rows in parts)
            return
        images = [self.images[row] for row in order.tolist()]
        with closing(self.reader.in_order(images)) as pictures:
            for rows in parts:
                batch = [next(pictures) for _ in range(len(rows))]
                yield rows, torch.from_numpy(np.stack(batch))


_GIB = 2**30


def open_pictures(
    parts: tuple[ImageRows, ...],
    spec: BackboneSpec,
    preprocessing: Preprocessing,
    options: EmbedOptions,
    *,
    memory: float,
) -> tuple[Pictures, ...]:
    """Return the pictures of each part; the first ones are kept in memory as far as they fit.

    Args:
        parts: Rows with images.
        spec: Says which part of an image the backbone sees.
        preprocessing: The backbone's.
        options: Store, detector, threads.
        memory: GiB for decoded pictures; those that do not fit are read anew in every epoch.

    Raises:
        ConfigError: An aligned view has no detector.
        DataError: An image that is to be kept cannot be read.
    """
    detections = open_detections([spec], options.store, options.detector)
    view = view_from_name(spec.view)
    reader = PictureReader(preprocessing, view, detections, options.workers)
    opened = tuple(Pictures(rows.images, reader) for rows in parts)
    left = memory * _GIB
    for pictures in opened:
        if pictures.bytes_all <= left:
            left -= pictures.bytes_all
            with progress_bar(
                "reading pictures", len(pictures), unit="images", shown=options.progress
            ) as advance:
                pictures.keep(advance)
    if detections is not None:
        detections.finish()
    return opened


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
