"""The fairness terms by name, as recipes say them."""

from fairage.objectives.fairness.adaptive import Adaptive
from fairage.objectives.fairness.gap import Gap, Variance
from fairage.objectives.fairness.term import Fairness
from fairage.objectives.fairness.worst import BoundedGroupLoss, Cvar, GroupDro

__all__ = ["FAIRNESS"]

FAIRNESS: dict[str, type[Fairness]] = {
    "gap": Gap,
    "variance": Variance,
    "group-dro": GroupDro,
    "bounded-group-loss": BoundedGroupLoss,
    "cvar": Cvar,
    "adaptive": Adaptive,
}
