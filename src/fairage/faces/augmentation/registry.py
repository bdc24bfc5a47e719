"""The augmentations by name, as recipes and commands say them."""

from fairage._registry import build
from fairage.faces.augmentation.base import Augmentation
from fairage.faces.augmentation.policies import KitAugmentation, RandomAugmentation

AUGMENTATIONS: dict[str, type[Augmentation]] = {
    kind.name: kind for kind in (KitAugmentation, RandomAugmentation)
}


def make_augmentation(name: str, **options: object) -> Augmentation:
    """Return the augmentation of this name; options are the fields of its class.

    Examples:
        >>> make_augmentation("random", strength=0.5)
        RandomAugmentation(strength=0.5, operations=2, flip=0.5)
        >>> make_augmentation("randaugment")
        Traceback (most recent call last):
        fairage.exceptions.ConfigError: augmentation must be one of ['kit', 'random']; got ...
    """
    return build("augmentation", AUGMENTATIONS, name, options)
