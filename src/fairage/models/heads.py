"""Heads: an embedding in, outputs from which an age is decoded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from fairage.config import build
from fairage.exceptions import ConfigError

__all__ = ["HEADS", "AgeHead", "Regression", "make_head"]


@dataclass(frozen=True)
class Regression:
    """The kit's head: dropout, dense layers with ReLU, one output; the age in hundreds of years.

    Args:
        hidden: Widths of the dense layers between the embedding and the output.
        dropout: Share of the embedding's numbers set to zero in training.
        output: `"sigmoid"` keeps the age in 0..100 years; `"linear"` does not.
    """

    hidden: tuple[int, ...] = (128, 32)
    dropout: float = 0.5
    output: Literal["sigmoid", "linear"] = "sigmoid"

    def __post_init__(self) -> None:
        if not 0 <= self.dropout < 1 or any(width < 1 for width in self.hidden):
            raise ConfigError(
                f"expected dropout in 0..1 and hidden widths of 1 or more, got {self.dropout} and "
                f"{list(self.hidden)}, correct the head's options"
            )

    def layers(self, dim: int) -> nn.Sequential:
        """Return new layers for embeddings of this width."""
        layers: list[nn.Module] = [nn.Dropout(self.dropout)]
        for width in self.hidden:
            layers += [_dense(dim, width), nn.ReLU()]
            dim = width
        layers.append(_dense(dim, 1))
        if self.output == "sigmoid":
            layers.append(nn.Sigmoid())
        return nn.Sequential(*layers)

    def decode(self, outputs: Tensor) -> Tensor:
        """Return ages in years, shape `(batch,)`, for outputs `(batch, 1)`."""
        return outputs.squeeze(-1) * 100.0


HEADS: dict[str, type[Regression]] = {"regression": Regression}


class AgeHead(nn.Module):
    """A head on standardised embeddings; mean and scale of the training rows travel with it.

    Args:
        kind: The head's layers and decoding.
        dim: Width of the embeddings.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, kind: Regression, dim: int) -> None:
        super().__init__()
        self.kind = kind
        self.dim = dim
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

    def forward(self, embeddings: Tensor) -> Tensor:
        """Return raw outputs `(batch, k)` for embeddings `(batch, dim)`."""
        return self.from_standardised((embeddings - self.mean) / self.scale)

    def from_standardised(self, standardised: Tensor) -> Tensor:
        """Return raw outputs for embeddings that are standardised already."""
        outputs: Tensor = self.layers(standardised)
        return outputs

    @torch.inference_mode()
    def ages(self, embeddings: Tensor) -> Tensor:
        """Return estimated ages in years, shape `(n,)`, without dropout."""
        self.eval()
        return self.kind.decode(self.forward(embeddings))


def make_head(name: str, dim: int, options: Mapping[str, Any]) -> AgeHead:
    """Return a new head of this name; options are the fields of its class.

    Examples:
        >>> head = make_head("regression", 8, {"hidden": [4]})
        >>> head.ages(torch.zeros(3, 8)).shape
        torch.Size([3])
    """
    return AgeHead(build("head", HEADS, name, options), dim)


def _dense(inputs: int, outputs: int) -> nn.Linear:
    """A dense layer with Keras' initial values, which the kit used."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
