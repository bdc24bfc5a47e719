"""The last layer fitted anew on embeddings, with weights that make rare ages count."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from boxed.faces import HIGH, LOW
from boxed.network import Truth, age_loss

STEPS, DECAY = 100, 1e-4
LIMITS = (3.0, 2.0, 3.5, 2.0, 2.5, 4.0, 4.2, 4.0, 6.5)
"""Years that estimates may lie outside the ranges, on average, by range."""
LEAST = {"exact": 0.545, "balanced": 0.52, "near": 0.925}
"""The least of the shares of `RangeScore`."""


def refitted(last: nn.Linear, embeddings: Tensor, truth: Truth) -> nn.Linear:
    """Return the layer that minimises the loss of the ages on these embeddings.

    Args:
        last: Where the fit begins; it is left as it is.
        embeddings: Shape `(n, width)`.
        truth: Of the same faces, with the weights that are wanted.
    """
    layer = nn.Linear(last.in_features, last.out_features)
    layer.load_state_dict(last.state_dict())
    optimizer = torch.optim.LBFGS(layer.parameters(), max_iter=STEPS, line_search_fn="strong_wolfe")

    def closure() -> float:
        optimizer.zero_grad()
        decay = torch.stack([(each**2).sum() for each in layer.parameters()]).sum()
        loss = age_loss(layer(embeddings), truth) + DECAY * decay
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no types here
        return float(loss.detach())

    optimizer.step(closure)  # type: ignore[no-untyped-call]  # torch has no types here
    return layer.requires_grad_(requires_grad=False)


@dataclass(frozen=True)
class RangeScore:
    """How estimates fit ranges.

    Args:
        exact: Share of estimates within their face's range.
        balanced: The mean of that share over the nine ranges.
        near: Share within the range or a neighbouring one.
        outside: For each range, mean distance of the estimates outside it, in years.
    """

    exact: float
    balanced: float
    near: float
    outside: tuple[float, ...]


def range_score(ages: NDArray[np.float64], ranges: NDArray[np.int64]) -> RangeScore:
    """Return how ages `(n,)` fit the ranges with these numbers `(n,)`."""
    estimated = np.searchsorted(HIGH, ages, side="right").clip(0, len(LOW) - 1)
    outside = np.maximum(0, np.maximum(LOW[ranges] - ages, ages - HIGH[ranges]))
    hit = estimated == ranges
    each = range(len(LOW))
    return RangeScore(
        exact=float(hit.mean()),
        balanced=float(np.mean([hit[ranges == number].mean() for number in each])),
        near=float((abs(estimated - ranges) <= 1).mean()),
        outside=tuple(float(outside[ranges == number].mean()) for number in each),
    )
