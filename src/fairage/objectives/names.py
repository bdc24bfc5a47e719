"""The objectives by name, as recipes say them."""

from fairage.objectives.distribution import LabelDistribution, MeanVariance
from fairage.objectives.objective import Objective
from fairage.objectives.ordinal import Coral, Corn
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
    "dldl": LabelDistribution,
    "mean-variance": MeanVariance,
    "coral": Coral,
    "corn": Corn,
}
