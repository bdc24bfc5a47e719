"""The challenge's train split in numbers, as published."""

from fairage.datasets.dataset import ETHNICITY, EXPRESSION, GENDER

__all__ = ["TRAIN_AGE_GROUPS", "TRAIN_COUNTS"]

TRAIN_COUNTS = {
    GENDER: {"male": 2068, "female": 1997},
    ETHNICITY: {"caucasian": 3522, "asian": 424, "afroamerican": 119},
    EXPRESSION: {"neutral": 1404, "slightlyhappy": 1784, "happy": 712, "other": 165},
}
"""How many faces each group of each attribute has: no two numbers are the same."""

TRAIN_AGE_GROUPS = {"young": 796, "adult": 2389, "senior": 732, "old": 148}
"""How many faces each of the default age groups has."""
