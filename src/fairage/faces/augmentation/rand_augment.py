"""RandAugment for faces: a few operations drawn from a list, all as strong as one number says.

Source: Cubuk et al., RandAugment: practical automated data augmentation with a reduced search
space, 2020 (arXiv:1909.13719).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fairage.exceptions import ConfigError
from fairage.faces.augmentation.augmentation import Augmentation, check_range
from fairage.faces.augmentation.steps import Step

__all__ = ["LARGEST_AMOUNTS", "RandomAugmentation"]

LARGEST_AMOUNTS = {
    "brightness": 0.9,
    "saturation": 0.9,
    "contrast": 0.9,
    "sharpness": 0.9,
    "blur": 0.02,
    "rotation": 30.0,
    "shear_x": 0.3,
    "shear_y": 0.3,
    "shift_x": 0.1,
    "shift_y": 0.1,
}
"""The amount of each operation at strength 1; RandAugment's, where it has the operation."""

_ONE_SIDED = {"blur"}


@dataclass(frozen=True)
class RandomAugmentation(Augmentation):
    """A few operations drawn from RandAugment's list, after a flip.

    It differs from RandAugment in three ways: operations after which no age can be told from a
    face are left out (invert, solarize, posterize, equalize, auto-contrast) and blur is added;
    an amount is drawn evenly up to the strength instead of being the strength, so that many
    copies of one face differ; and flip, which training code has beside RandAugment, is built in.

    Args:
        strength: 0 changes nothing, 1 is RandAugment's strongest.
        operations: How many different operations a picture goes through.
        flip: Chance to be mirrored left and right; never at strength 0.

    Examples:
        >>> image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
        >>> bool((RandomAugmentation(strength=0).augment_image(image, 1) == image).all())
        True
        >>> RandomAugmentation(operations=1, flip=0).draw(np.random.default_rng(3))[1].operation
        'shift_x'
    """

    name: ClassVar[str] = "random"

    strength: float = 0.3
    operations: int = 2
    flip: float = 0.5

    def __post_init__(self) -> None:
        check_range(self.name, "strength", self.strength, 1.0)
        check_range(self.name, "flip", self.flip, 1.0)
        if not 1 <= self.operations <= len(LARGEST_AMOUNTS):
            raise ConfigError(
                f"option 'operations' of augmentation {self.name!r}: expected a whole number in "
                f"1..{len(LARGEST_AMOUNTS)}, got {self.operations!r}, correct it"
            )

    def draw(self, rng: np.random.Generator) -> tuple[Step, ...]:
        """Return the steps for one picture: flip, then the drawn operations in drawn order."""
        flipped = rng.random() < self.flip and self.strength > 0
        steps = [Step("flip", float(flipped))]
        for operation in rng.permutation(list(LARGEST_AMOUNTS))[: self.operations].tolist():
            drawn = float(rng.uniform(-1, 1))
            share = abs(drawn) if operation in _ONE_SIDED else drawn
            steps.append(Step(operation, self.strength * share * LARGEST_AMOUNTS[operation]))
        return tuple(steps)
