"""Augmentation: changed copies of a face that keep its age."""

from fairage.faces.augmentation.augmentation import AUGMENTATION_VERSION, Augmentation
from fairage.faces.augmentation.kit import KitAugmentation
from fairage.faces.augmentation.names import AUGMENTATIONS, make_augmentation
from fairage.faces.augmentation.preview import preview_rows
from fairage.faces.augmentation.rand_augment import RandomAugmentation
from fairage.faces.augmentation.steps import Step, apply_steps

__all__ = [
    "AUGMENTATIONS",
    "AUGMENTATION_VERSION",
    "Augmentation",
    "KitAugmentation",
    "RandomAugmentation",
    "Step",
    "apply_steps",
    "make_augmentation",
    "preview_rows",
]
