"""Objectives: outputs, ages and weights in, a loss out. Torch."""

from fairage.objectives.names import OBJECTIVES
from fairage.objectives.objective import Objective, weighted_mean

__all__ = ["OBJECTIVES", "Objective", "weighted_mean"]
