"""The fairness terms by name, as recipes say them."""

from fairage.objectives.fairness.term import Fairness
from fairage.objectives.fairness.terms import (
    Adaptive,
    BoundedGroupLoss,
    Cvar,
    Gap,
    GroupDro,
    Variance,
)

__all__ = ["FAIRNESS"]

FAIRNESS: dict[str, type[Fairness]] = {
    "gap": Gap,
    "variance": Variance,
    "group-dro": GroupDro,
    "bounded-group-loss": BoundedGroupLoss,
    "cvar": Cvar,
    "adaptive": Adaptive,
}
