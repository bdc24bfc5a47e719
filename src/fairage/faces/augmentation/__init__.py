"""Augmentation: changed copies of a face that keep its age."""

from fairage.faces.augmentation.base import AUGMENTATION_VERSION, Augmentation, Step, apply_steps
from fairage.faces.augmentation.policies import KitAugmentation, RandomAugmentation
from fairage.faces.augmentation.registry import AUGMENTATIONS, make_augmentation

__all__ = [
    "AUGMENTATIONS",
    "AUGMENTATION_VERSION",
    "Augmentation",
    "KitAugmentation",
    "RandomAugmentation",
    "Step",
    "apply_steps",
    "make_augmentation",
]
