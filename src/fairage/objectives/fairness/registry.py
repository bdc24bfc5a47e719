"""The fairness terms by name, as recipes say them."""

from fairage._registry import build
from fairage.objectives.fairness.term import Fairness
from fairage.objectives.fairness.terms import (
    Adaptive,
    BoundedGroupLoss,
    Cvar,
    Gap,
    GroupDro,
    Variance,
)

FAIRNESS: dict[str, type[Fairness]] = {
    "gap": Gap,
    "variance": Variance,
    "group-dro": GroupDro,
    "bounded-group-loss": BoundedGroupLoss,
    "cvar": Cvar,
    "adaptive": Adaptive,
}


def make_fairness(name: str, **options: object) -> Fairness:
    """Return the fairness term of this name; options are the fields of its class.

    Examples:
        >>> make_fairness("gap", strength=0.5).strength
        0.5
    """
    return build("fairness", FAIRNESS, name, options)
