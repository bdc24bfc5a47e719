"""The objectives by name, as recipes say them."""

from fairage.objectives.distribution import LabelDistributionLoss, MeanVarianceLoss
from fairage.objectives.objective import Objective
from fairage.objectives.ordinal import CoralLoss, CornLoss
from fairage.objectives.regression import (
    BalancedMSE,
    HuberLoss,
    MeanAbsoluteError,
    MeanSquaredError,
)

__all__ = ["OBJECTIVES"]

OBJECTIVES: dict[str, type[Objective]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "huber": HuberLoss,
    "balanced-mse": BalancedMSE,
    "dldl": LabelDistributionLoss,
    "mean-variance": MeanVarianceLoss,
    "coral": CoralLoss,
    "corn": CornLoss,
}
