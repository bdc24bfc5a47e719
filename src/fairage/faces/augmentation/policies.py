"""Augmentation policies: the kit's, and RandAugment."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fairage.exceptions import ConfigError
from fairage.faces.augmentation.base import Augmentation, Step, check_range

_LARGEST_BLUR = 0.1


@dataclass(frozen=True)
class KitAugmentation(Augmentation):
    """Flip, brightness, saturation and contrast jitter, blur, translation: as in the kit.

    Which operations there are is the kit's; it does not fix how much of each, so the ranges are
    ours. Each amount is drawn evenly from its range, and is independent of the others.

    Args:
        flip: Chance to be mirrored left and right.
        brightness: Pixels are multiplied by 1 +/- up to this.
        saturation: Distance from the grey picture is multiplied by 1 +/- up to this.
        contrast: Distance from the mean brightness is multiplied by 1 +/- up to this.
        blur: Largest standard deviation of the blur as a share of the longer side; half of the
            pictures stay sharp.
        translation: Largest shift, as a share of width and height; the edge is mirrored.

    Examples:
        >>> image = np.full((4, 4, 3), 100, dtype=np.uint8)
        >>> changed = KitAugmentation().augment_image(image, 0)
        >>> changed.shape, bool((changed != image).any())
        ((4, 4, 3), True)
        >>> KitAugmentation(flip=2)
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: option 'flip' of augmentation 'kit': expected a number ...
    """

    name: ClassVar[str] = "kit"

    flip: float = 0.5
    brightness: float = 0.3
    saturation: float = 0.4
    contrast: float = 0.3
    blur: float = 0.008
    translation: float = 0.1

    def __post_init__(self) -> None:
        for option in ("flip", "brightness", "saturation", "contrast", "translation"):
            check_range(self.name, option, getattr(self, option), 1.0)
        check_range(self.name, "blur", self.blur, _LARGEST_BLUR)

    def draw(self, rng: np.random.Generator) -> tuple[Step, ...]:
        """Return the steps for one picture: flip, colours, blur, translation."""
        spread = rng.uniform(-1, 1, 6)
        return (
            Step("flip", float(rng.random() < self.flip)),
            Step("brightness", float(spread[0]) * self.brightness),
            Step("saturation", float(spread[1]) * self.saturation),
            Step("contrast", float(spread[2]) * self.contrast),
            Step("blur", max(0.0, float(spread[3])) * self.blur),
            Step("shift_x", float(spread[4]) * self.translation),
            Step("shift_y", float(spread[5]) * self.translation),
        )


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
