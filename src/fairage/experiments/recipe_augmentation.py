"""The part of a recipe that says which training rows are copied and how the copies are changed."""

import hashlib
import json
from typing import Annotated

from pydantic import BeforeValidator, Field

from fairage.datasets.oversampling import Copies, make_copies
from fairage.experiments.recipe_choices import Choice, Named, name_alone
from fairage.faces.augmentation import Augmentation, make_augmentation

__all__ = ["AugmentationChoice", "NamedAugmentation"]


class AugmentationChoice(Choice):
    """Changed copies of training faces: `{name: kit, copies: {name: share, share: 0.5}, seed: 0}`.

    Options beside these keys are the augmentation's.
    """

    copies: Named = Field(
        default=Choice(name="all"), description="Which rows are copied how often."
    )
    seed: int = Field(0, description="Settles the changes, whatever the seed of the run.")

    @property
    def key(self) -> str:
        """Hash of the choice: what embedded copies are found by.

        Examples:
            >>> one, two = (AugmentationChoice(name="kit", seed=seed) for seed in (0, 1))
            >>> one.key == two.key
            False
        """
        told = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()

    def augmentation(self) -> Augmentation:
        """Return what changes a copy, or raise a ConfigError for an unknown name or option."""
        return make_augmentation(self.name, **self.options)

    def chosen_copies(self) -> Copies:
        """Return what chooses the rows, or raise a ConfigError for an unknown name or option."""
        return make_copies(self.copies.name, **self.copies.options)


NamedAugmentation = Annotated[AugmentationChoice, BeforeValidator(name_alone)]
"""An augmentation that may be written as its name alone: one copy of every training face."""
