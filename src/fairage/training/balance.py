"""Weights for rows of a training: the weightings of faces tables, on `Rows`."""

from collections.abc import Mapping

import polars as pl
import torch
from torch import Tensor

from fairage.tables import AGE, AGE_GROUP
from fairage.training.rows import Rows
from fairage.weighting import make_weighting

__all__ = ["balancing_weights"]


def balancing_weights(rows: Rows, weighting: str, options: Mapping[str, object]) -> Tensor:
    """Return the weights, shape `(n,)`, mean 1, that a weighting by name gives these rows.

    Examples:
        >>> import numpy as np
        >>> from fairage.objectives import Targets
        >>> groups = {"gender": np.array(["f", "f", "f", "m"])}
        >>> rows = Rows(torch.zeros(4, 2), Targets(torch.full((4,), 30.0)), torch.ones(4), groups)
        >>> balancing_weights(rows, "inverse", {"attributes": ("gender",)}).tolist()
        [0.666..., 0.666..., 0.666..., 2.0]
    """
    columns = {name: labels for name, labels in rows.groups.items() if name != AGE_GROUP}
    frame = pl.DataFrame({AGE: rows.targets.ages.double().numpy(), **columns})
    return torch.from_numpy(make_weighting(weighting, **options).weigh(frame).values).float()
