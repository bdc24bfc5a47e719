"""The layers that heads share: dense ones as Keras starts them, and a quick dropout."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fairage.exceptions import ConfigError

__all__ = ["QuickDropout", "check_trunk", "dense", "trunk"]


class QuickDropout(nn.Module):
    """Dropout whose mask is made of raw random bits, sixteen a number, or eight where they do.

    On wide embeddings, drawing the mask the usual way takes longer than everything else in a
    step; this is about ten times as fast. The share is rounded to a 65536th.

    Args:
        p: Share of the numbers set to zero in training; the others are scaled up to make up.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        eighth = (256 * p).is_integer()
        self.steps, self.integers = (256, torch.int8) if eighth else (65536, torch.int16)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the inputs, in training with some numbers set to zero."""
        dropped = round(self.p * self.steps)
        if not self.training or dropped == 0:
            return inputs
        a_word = 8 if self.steps == 256 else 4
        words = torch.empty(-(-inputs.numel() // a_word), dtype=torch.int64, device=inputs.device)
        numbers = words.random_(-(2**63), None).view(self.integers)[: inputs.numel()]
        # Compared in place: making bools and turning them into floats are both slow.
        kept = numbers.ge_(dropped - self.steps // 2).view(inputs.shape).to(inputs.dtype)
        scale = self.steps / (self.steps - dropped)
        return torch.addcmul(inputs.new_zeros(()), inputs, kept, value=scale)

    def extra_repr(self) -> str:
        """Return what `repr` shows."""
        return f"p={self.p}"


def dense(inputs: int, outputs: int) -> nn.Linear:
    """Return a dense layer with Keras' initial values, which the kit used."""
    layer = nn.Linear(inputs, outputs)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def trunk(
    dim: int,
    hidden: Sequence[int],
    dropout: float,
    *,
    layer_norm: bool = False,
    hidden_dropout: float = 0.0,
) -> tuple[list[nn.Module], int]:
    """Return dropout and dense layers with ReLU, and the width of what comes out of them.

    Args:
        dim: Width of the embeddings.
        hidden: Width of each dense layer.
        dropout: Share of the embedding's numbers set to zero in training.
        layer_norm: Normalise what comes out of each dense layer.
        hidden_dropout: Share of each dense layer's numbers set to zero in training.
    """
    layers: list[nn.Module] = [QuickDropout(dropout)]
    for width in hidden:
        layers.append(dense(dim, width))
        layers += [nn.LayerNorm(width)] if layer_norm else []
        layers.append(nn.ReLU())
        layers += [QuickDropout(hidden_dropout)] if hidden_dropout else []
        dim = width
    return layers, dim


def check_trunk(hidden: Sequence[int], *dropouts: float) -> None:
    """Refuse a dropout or a width that cannot be."""
    if not all(0 <= share < 1 for share in dropouts) or any(width < 1 for width in hidden):
        raise ConfigError(
            f"expected dropouts from 0 to below 1 and hidden widths of 1 or more, got "
            f"{list(dropouts)} and {list(hidden)}, correct the head's options"
        )
