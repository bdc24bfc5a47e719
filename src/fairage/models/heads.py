"""Heads: an embedding in, outputs from which an age is decoded."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fairage.config import build
from fairage.exceptions import ConfigError
from fairage.models.calibration import Calibration
from fairage.models.experts import KINDS
from fairage.models.kinds import HeadKind
from fairage.objectives import OBJECTIVES, Objective

__all__ = ["HEADS", "AgeHead", "check_pair", "make_head"]

HEADS: dict[str, type[HeadKind]] = KINDS


class AgeHead(nn.Module):
    """A head on standardised embeddings; mean and scale of the training rows travel with it.

    A `calibration`, where one is set after training, corrects the ages that `ages` gives back.

    Args:
        kind: The head's layers and decoding.
        dim: Width of the embeddings.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, kind: HeadKind, dim: int) -> None:
        super().__init__()
        self.kind = kind
        self.dim = dim
        self.calibration: Calibration | None = None
        self.layers = kind.layers(dim)
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))

    def standardise_by(self, embeddings: Tensor) -> None:
        """Keep mean and standard deviation of these (training) embeddings, `(n, dim)`.

        A number that never varies keeps the scale 1.
        """
        deviation = embeddings.std(dim=0, correction=0)
        self.mean.copy_(embeddings.mean(dim=0))
        self.scale.copy_(torch.where(deviation > 1e-6, deviation, torch.ones_like(deviation)))

    def standardised(self, embeddings: Tensor) -> Tensor:
        """Return embeddings `(n, dim)` in units of the training rows' standard deviation."""
        return (embeddings - self.mean).div_(self.scale)

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return raw outputs `(batch, k)` for embeddings `(batch, dim)`."""
        return self.from_standardised(self.standardised(embeddings))

    def from_standardised(self, standardised: Tensor) -> Tensor:
        """Return raw outputs for embeddings that are standardised already."""
        outputs: Tensor = self.layers(standardised)
        return outputs

    def copied_state(self) -> dict[str, Tensor]:
        """Return a copy of weights, mean and scale, which training does not change."""
        return {name: value.clone() for name, value in self.state_dict().items()}

    def parted(self) -> tuple[nn.Sequential, nn.Sequential]:
        """Return the layers before the last one with parameters, and the rest from it on."""
        having = [i for i, layer in enumerate(self.layers) if any(True for _ in layer.parameters())]
        layers = list(self.layers)
        return nn.Sequential(*layers[: having[-1]]), nn.Sequential(*layers[having[-1] :])

    @torch.inference_mode()
    def ages(self, embeddings: Tensor) -> Tensor:
        """Return estimated ages in years, shape `(n,)`, without dropout."""
        self.eval()
        found = self.kind.decode(self.forward(embeddings))
        return found if self.calibration is None else self.calibration(found)


def make_head(name: str, dim: int, options: Mapping[str, Any]) -> AgeHead:
    """Return a new head of this name; options are the fields of its class.

    Examples:
        >>> head = make_head("regression", 8, {"hidden": [4]})
        >>> head.ages(torch.zeros(3, 8)).shape
        torch.Size([3])
    """
    return AgeHead(build("head", HEADS, name, options), dim)


def check_pair(kind: HeadKind, objective: Objective) -> None:
    """Refuse an objective that cannot read what the head puts out; name those that go together.

    Examples:
        >>> check_pair(HEADS["corn"](), OBJECTIVES["mse"]())
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: expected a head ... ['experts', 'linear', 'regression'], ...
    """
    if kind.gives == objective.fits:
        return
    heads = sorted(name for name, known in HEADS.items() if known.gives == objective.fits)
    objectives = sorted(name for name, known in OBJECTIVES.items() if known.fits == kind.gives)
    raise ConfigError(
        f"expected a head for the objective {type(objective).__name__} among {heads}, got "
        f"{type(kind).__name__}, take one of them or an objective among {objectives}"
    )
