"""The objectives by name, as recipes say them."""

from fairage._registry import build
from fairage.objectives.age_ranges import IntervalLoss
from fairage.objectives.distribution import LabelDistributionLoss, MeanVarianceLoss
from fairage.objectives.objective import Objective
from fairage.objectives.ordinal import CoralLoss, CornLoss
from fairage.objectives.regression import (
    BalancedMSE,
    HuberLoss,
    MeanAbsoluteError,
    MeanSquaredError,
)

OBJECTIVES: dict[str, type[Objective]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "huber": HuberLoss,
    "balanced-mse": BalancedMSE,
    "dldl": LabelDistributionLoss,
    "mean-variance": MeanVarianceLoss,
    "interval": IntervalLoss,
    "coral": CoralLoss,
    "corn": CornLoss,
}


def make_objective(name: str, **options: object) -> Objective:
    """Return the objective of this name; options are the fields of its class.

    Examples:
        >>> make_objective("huber", delta=3.0)
        HuberLoss(delta=3.0)
    """
    return build("objective", OBJECTIVES, name, options)
