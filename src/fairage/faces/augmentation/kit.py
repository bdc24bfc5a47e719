"""The operations of the challenge's starting kit, all of them on every picture."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from fairage.faces.augmentation.augmentation import Augmentation, check_range
from fairage.faces.augmentation.steps import Step

__all__ = ["KitAugmentation"]

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
