"""The weights that the study trains the expert of one attribute with."""

from dataclasses import dataclass

import polars as pl

from fairage.tables import AGE_GROUP
from fairage.weighting.frequency import Product
from fairage.weighting.weights import Weights

__all__ = ["Expert"]


@dataclass(frozen=True)
class Expert:
    """The attribute's 1b weights times those of the age groups; of the age, 1a's years alone.

    Args:
        attribute: Whose expert it is; `age_group` is the age expert.

    Examples:
        >>> faces = pl.DataFrame({"age": [30.0, 30, 70], "gender": ["f", "m", "m"]})
        >>> list(Expert("gender").weigh(faces).groups), list(Expert().weigh(faces).groups)
        (['gender', 'age_group'], ['age_year'])
    """

    attribute: str = AGE_GROUP

    def weigh(self, faces: pl.DataFrame) -> Weights:
        """Return the weights of the attribute's expert for each row."""
        if self.attribute == AGE_GROUP:
            return Product((), age="age_year").weigh(faces)
        return Product((self.attribute,), age="age_group").weigh(faces)
