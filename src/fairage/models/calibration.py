"""A correction of estimated ages after training: a rising line through a few points."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fairage.exceptions import DataError


@dataclass(frozen=True)
class Calibration:
    """Ages as estimated, and what they are corrected to; straight lines between the points.

    Beyond the first and the last point the correction stays what it is there.

    Args:
        inputs: Estimated ages in years, rising.
        outputs: Corrected ages in years, not falling.

    Examples:
        >>> corrected = Calibration((20.0, 40.0), (22.0, 40.0))(torch.tensor([10.0, 30.0, 50.0]))
        >>> [round(age, 3) for age in corrected.tolist()]
        [12.0, 31.0, 50.0]
    """

    inputs: tuple[float, ...]
    outputs: tuple[float, ...]

    def __post_init__(self) -> None:
        finite = all(map(math.isfinite, (*self.inputs, *self.outputs)))
        pairs = zip(self.inputs, self.inputs[1:], strict=False)
        rising = all(a < b for a, b in pairs)
        pairs = zip(self.outputs, self.outputs[1:], strict=False)
        rising = rising and all(a <= b for a, b in pairs)
        if not self.inputs or len(self.inputs) != len(self.outputs) or not finite or not rising:
            raise DataError(
                "expected as many corrected ages as estimated ones, rising, at least one, got "
                f"{list(self.inputs)} and {list(self.outputs)}, fit the calibration again"
            )

    def __call__(self, ages: Tensor) -> Tensor:
        """Return corrected ages in years for estimated ones; both of shape `(n,)`."""
        inputs = torch.tensor(self.inputs, dtype=torch.float64)
        outputs = torch.tensor(self.outputs, dtype=torch.float64)
        inside = ages.double().clamp(self.inputs[0], self.inputs[-1])
        right = torch.searchsorted(inputs, inside).clamp(1, max(len(inputs) - 1, 1))
        left = right - 1
        right = right.clamp(max=len(inputs) - 1)
        width = (inputs[right] - inputs[left]).clamp(min=1e-12)
        share = (inside - inputs[left]) / width
        corrected = outputs[left] + share * (outputs[right] - outputs[left])
        return (corrected + ages.double() - inside).to(ages.dtype)
