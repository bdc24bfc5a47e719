"""What a drawing is given: the groups of a person, and the age to show."""

from dataclasses import dataclass

__all__ = ["Person"]


@dataclass(frozen=True)
class Person:
    """One face to draw.

    Args:
        age: Age that the face shows, in years.
        gender: male or female.
        ethnicity: caucasian, asian or afroamerican.
        expression: neutral, slightlyhappy, happy or other.
    """

    age: float
    gender: str
    ethnicity: str
    expression: str
