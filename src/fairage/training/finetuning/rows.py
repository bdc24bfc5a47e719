"""What a fine-tuning is trained and validated on: images instead of embeddings."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from fairage.exceptions import DataError
from fairage.objectives import Targets
from fairage.objectives.fairness import Labels
from fairage.training.rows import Rows

__all__ = ["ImageRows"]


@dataclass(frozen=True)
class ImageRows:
    """Rows to train or validate on, each with the image of a face.

    Args:
        images: Path or URL of each image.
        targets: True ages in years, shape `(n,)`, and what is known beside them.
        weights: Sample weights with mean 1, shape `(n,)`.
        groups: The group of each row, shape `(n,)`, for each attribute.
        beside: Embeddings `(n, dim)` of other backbones, which stay as they are; the head sees
            them behind the embedding of the one that is fine-tuned.

    Examples:
        >>> ImageRows(("a.jpg",), Targets(torch.tensor([30.0, 40.0])), torch.ones(2))
        Traceback (most recent call last):
        fairage.exceptions.DataError: expected an age and a weight for each image, got 1 images, ...
    """

    images: tuple[str, ...]
    targets: Targets
    weights: Tensor
    groups: Labels = field(default_factory=dict)
    beside: Tensor | None = None

    def __post_init__(self) -> None:
        n = len(self.images)
        if not n == len(self.targets) == len(self.weights):
            raise DataError(
                f"expected an age and a weight for each image, got {n} images, "
                f"{len(self.targets)} ages and {len(self.weights)} weights, give one each a row"
            )
        if self.beside is not None and (self.beside.ndim != 2 or len(self.beside) != n):
            raise DataError(
                f"expected embeddings ({n}, dim) beside the images, got "
                f"{tuple(self.beside.shape)}, embed the same rows"
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def labelled(self) -> Rows:
        """The same rows without an embedding, for what reads labels alone."""
        return Rows(torch.empty(len(self), 0), self.targets, self.weights, self.groups)
