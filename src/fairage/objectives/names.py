"""The objectives by name, as recipes say them."""

from fairage.objectives.objective import Objective
from fairage.objectives.regression import HuberLoss, MeanAbsoluteError, MeanSquaredError

__all__ = ["OBJECTIVES"]

OBJECTIVES: dict[str, type[Objective]] = {
    "mse": MeanSquaredError,
    "mae": MeanAbsoluteError,
    "huber": HuberLoss,
}
